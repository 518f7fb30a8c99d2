"""The server's copy of the user's workspace, kept in step: what of it is sent, when, and in what order.

Nothing here delays a keystroke: an edit costs a note, and files are read, searched for secrets and
compared in threads. Which files may be read is decided by :mod:`lsp.context`, never here.
"""
