"""One process that asks jedi where names are defined: a line of JSON in, a line of JSON out.

It reads the workspace folder, jedi's own descriptions of the standard library, and nothing else:
what jedi would open elsewhere (installed packages, what a link leads to) it cannot open here. It
keeps no source on disk and runs no code of the workspace.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsp.context.parso_cache import keep_no_source, survive_broken_files


def main() -> None:
    """Answer where names are defined."""
    if hasattr(os, "nice"):
        os.nice(10)  # whoever types comes first
    serve(answer)


def serve(answer: Callable[[Any, dict[str, Any], Any, Any, str], Any]) -> None:
    """Answer each line until the input ends. The one argument is the workspace folder.

    ``answer`` is given jedi, what was asked, an environment, a project and the folder.
    """
    root = os.path.realpath(sys.argv[1])
    import jedi
    import parso
    from jedi.api.environment import InterpreterEnvironment

    library = sysconfig.get_paths()
    jedi_own = tuple(os.path.realpath(Path(m.__file__ or ".").parent) for m in (jedi, parso))
    python_own = tuple(os.path.realpath(library[key]) for key in ("stdlib", "platstdlib"))
    keep_no_source(jedi_own)
    survive_broken_files()
    cache = os.path.realpath(jedi.settings.cache_directory)
    with contextlib.suppress(OSError):  # without it jedi is slower, and goes on
        Path(cache).mkdir(parents=True, exist_ok=True)
    confine(root, cache=cache, own=(*jedi_own, *python_own))
    jedi.settings.auto_import_modules = []  # those are imported for real; nothing shall be
    paths = [root, str(Path(root) / "src")]
    project = jedi.Project(root, sys_path=paths, smart_sys_path=False, load_unsafe_extensions=False)
    environment = InterpreterEnvironment()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            found = answer(jedi, asked, environment, project, root)
        except Exception:  # jedi raises whatever it stumbles over in broken code
            found = []
        sys.stdout.write(json.dumps({"id": asked["id"], "found": found}) + "\n")
        sys.stdout.flush()


def confine(root: str, *, cache: str, own: tuple[str, ...]) -> None:
    """Let this process open only what is below ``root`` and ``own``, and write only to ``cache``.

    An audit hook, and not a patch of jedi: jedi opens files in several ways, some of them C. It
    cannot be taken away again. Links are followed before a path is judged.
    """

    def below(path: str, places: tuple[str, ...]) -> bool:
        return any(path == place or path.startswith(place + os.sep) for place in places)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, flags = arguments[0], arguments[2] or 0
        elif event in ("os.listdir", "os.scandir"):
            path, flags = arguments[0], 0
        elif event in _WRITES:
            path, flags = arguments[0], os.O_WRONLY
        else:
            return
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a file that is open already
        real = os.path.realpath(os.fsdecode(path))
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if not below(real, (cache,) if writes else (root, cache, *own)):
            raise PermissionError(f"{event}: outside the workspace")
        if event == "open" and not writes and _would_wait(real):
            raise PermissionError("open: no regular file")

    sys.addaudithook(hook)


def _would_wait(path: str) -> bool:
    """Whether ``path`` is a pipe or a device: opening one may last for ever, and jedi with it."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False  # there is none: whoever opens it is told so
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


_WRITES = frozenset(("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.utime"))


Found = list[tuple[str, int, str]] | None
"""Definitions as (path below the root, line, name); empty: all are elsewhere; None: not known."""


def answer(
    jedi: Any, asked: dict[str, Any], environment: Any, project: Any, root: str
) -> list[Found]:
    """Return for each place what is defined there."""
    path = str(Path(root) / asked["path"])
    script = jedi.Script(asked["text"], path=path, environment=environment, project=project)
    out: list[Found] = []
    for line, column in asked["places"]:
        try:
            names = script.goto(line, column, follow_imports=True)
            if not any(_is_wide(name) for name in names):
                # a variable: what it holds says more than where it was set
                names = script.infer(line, column) or names
        except Exception:  # of one name nothing is known
            names = []
        places = [place for name in names if (place := _place(name, root)) is not None]
        out.append(places if names else None)
    return out


def _is_wide(name: Any) -> bool:
    """Whether a name is defined for more than its function: what is shown of definitions."""
    return name.type in ("function", "class", "module", "property") or (
        name.type == "statement" and (parent := name.parent()) is not None
        and parent.type in ("class", "module")
    )  # fmt: skip


def _place(name: Any, root: str) -> tuple[str, int, str] | None:
    if name.module_path is None or name.line is None or name.type == "module":
        return None
    path = os.path.realpath(name.module_path)
    if not path.startswith(root + os.sep):
        return None
    return os.path.relpath(path, root).replace(os.sep, "/"), name.line, name.name


if __name__ == "__main__":
    main()
