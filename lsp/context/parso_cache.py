"""What jedi's parser keeps on disk: nothing of the workspace, and nothing that breaks it.

parso pickles the trees of what it has parsed. It writes them in place, so a process that is killed
meanwhile leaves a file that ends too soon, and with it no process of that user would ever get an
answer out of jedi again.
"""

from __future__ import annotations

from typing import Any


def keep_no_source(own: tuple[str, ...]) -> None:
    """Let parso's cache on disk hold files below ``own`` only: jedi's own, none of the workspace."""
    from parso import grammar

    saved = grammar.try_to_save_module  # pyright: ignore[reportPrivateImportUsage]

    def save(
        hashed: Any, io: Any, module: Any, lines: Any, pickling: bool = True, **more: Any
    ) -> None:
        is_own = io is not None and str(io.path or "").startswith(own)
        saved(hashed, io, module, lines, pickling=pickling and is_own, **more)

    grammar.try_to_save_module = save  # pyright: ignore[reportPrivateImportUsage]


def survive_broken_files() -> None:
    """Have what cannot be read of parso's cache parsed again, and written over."""
    from parso import grammar

    loaded = grammar.load_module  # pyright: ignore[reportPrivateImportUsage]

    def load(hashed: Any, io: Any, **more: Any) -> Any:
        try:
            return loaded(hashed, io, **more)
        except Exception:  # pickle raises whatever it stumbles over in half a file
            return None

    grammar.load_module = load  # pyright: ignore[reportPrivateImportUsage]
