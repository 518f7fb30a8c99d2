"""Exact byte-level completion: the bytes of tokens, covers of typed bytes, and their law.

Bytes, token ids and probabilities only: no document, no template, no gRPC. What runs inside the
engine is a thin adapter around the maths here. Importing it loads no torch.
"""
