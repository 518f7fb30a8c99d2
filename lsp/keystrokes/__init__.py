"""What a keystroke costs: suggestions kept, requests timed, completions asked for ahead of time.

Pure: told the time and what happened, it says what is to be done. No document, no LSP type, no
gRPC and no clock here; :mod:`lsp.suggesting` is what does it.
"""
