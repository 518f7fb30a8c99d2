"""The training pipeline: corpus, tokenizer, objectives, model, optimiser, loop, export.

May import ``completion``'s pure parts (``prompt``, ``errors``, ``syntax``), never an engine or a
server. What a pack runs (see ``pack``) needs only torch, transformers, tokenizers and numpy.
"""
