"""Where the workspace's names are defined: found by a process of its own, kept in a file of its own.

The language server's process only looks names up. What is kept is hashes of names, paths, offsets
and file stamps: no source text, and nothing of a file that :mod:`lsp.context.ignore` refuses.
"""

from lsp.context.index.index import Index
from lsp.context.index.place import Place, Stats

__all__ = ["Index", "Place", "Stats"]
