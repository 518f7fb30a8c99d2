"""The language server: documents, positions, editors, gates, and what may leave the machine.

It knows no tokens and no model: between it and ``completion/`` there is only
``completion.wire``. Importing it loads no torch, transformers, vLLM or numpy.
"""
