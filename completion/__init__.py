"""The completion service: bytes, tokens and the model. It knows no editor.

``wire`` and ``syntax`` are the ground, the rest of the package stands on them; ``lsp``,
``training`` and ``eval`` stand on its pure parts. Importing it loads no torch and no vLLM.
"""
