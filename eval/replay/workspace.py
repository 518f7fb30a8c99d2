"""The workspace that a file is typed in: a copy of the real one, without what is not typed yet.

The whole file lies in the real workspace, where an index, an import or a copy could tell its end.
So each file is typed in a copy that holds what the language server may read, the typed file as it
is before the first key, and no other file that has the region in it.
"""

from __future__ import annotations

from pathlib import Path

from completion.config import ContextConfig
from completion.config_sources import WORKSPACE_FILE
from eval.item import to_bytes
from eval.replay.typist import Typing
from eval.workspace.others import TELLING
from eval.workspace.place import Place

TABS = 3
"""Files that are open beside the typed one."""
TAB_BYTES = 64 << 10
"""A larger one is no tab that somebody keeps for looking something up."""


def lay_out(place: Place, typing: Typing, into: Path) -> list[Path]:
    """Copy the workspace to ``into``; return the files that are open beside the typed one.

    These are its neighbours: the files of its kind in its folder that stand next to it by name.
    """
    # Here and not above: they read the grammars, and a replay without a workspace needs none.
    from lsp.context.ignore import Rules
    from lsp.context.index.walk import walk

    root = place.root.absolute()
    region = to_bytes(typing.region)
    copied: list[str] = []
    for seen in walk(Rules.of(root, ContextConfig())):
        if not seen.path or seen.path == place.path:
            continue
        try:
            data = (root / seen.path).read_bytes()
        except OSError:
            continue  # not there any more, or not to be read
        if len(typing.region) < TELLING or region not in data:
            _write(into / seen.path, data)
            copied.append(seen.path)
    settings = root / WORKSPACE_FILE
    if settings.is_file():
        _write(into / WORKSPACE_FILE, settings.read_bytes())
    _write(into / place.path, to_bytes(typing.document))
    return [into / path for path in _neighbours(place.path, copied, into)]


def _neighbours(path: str, others: list[str], root: Path) -> list[str]:
    typed = Path(path)
    alike = sorted(
        other
        for other in others
        if (one := Path(other)).parent == typed.parent
        and one.suffix == typed.suffix
        and 0 < (root / other).stat().st_size <= TAB_BYTES
    )
    here = sum(other < path for other in alike)
    number = {other: at for at, other in enumerate(alike)}
    # the one behind it is as near as the one before it
    return sorted(alike, key=lambda other: (abs(number[other] - here + 0.5), other))[:TABS]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
