"""A tree of one package whose files use each other's names, and a gathering without processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from completion.wire import completion_pb2 as pb
from lsp.context.collect import Gathered

FILES = {
    "shop/__init__.py": "from .prices import Price\n",
    "shop/prices.py": (
        '"""Prices."""\n\nRATE = 3\n\n\n'
        "class Price:\n"
        '    """What a thing costs."""\n\n'
        "    def __init__(self, cents: int, currency: str) -> None:\n"
        "        self.cents = cents\n\n\n"
        "def price_of(item, *, taxed=False):\n"
        '    """Return what an item costs.\n\n    Taxed or not.\n    """\n'
        "    return Price(item.cents, item.currency)\n"
    ),
    "shop/settings.py": (
        "import json\n\n\ndef load_settings(name):\n    return json.loads(name)\n"
    ),
    # by a relative import; the name is also in a text, but of another word
    "shop/cart.py": (
        "from .prices import price_of\n\n\n"
        'def total(items):\n    """No price_of_all here."""\n'
        "    return sum(price_of(item) for item in items)\n"
    ),
    # by an absolute one, through __init__
    "shop/show/bill.py": (
        'from shop import Price\n\n\ndef größe():\n    best = Price(1, "€")\n    return best\n'
    ),
    # the hidden statement defines what the line below uses: an index of the disk knows it
    "shop/show/boot.py": (
        "from ..settings import load_settings\n\n"
        'SETTINGS = load_settings("answer.json")\n\n\n'
        "def run():\n    return SETTINGS\n"
    ),
    # none of these is an item
    "shop/twice.py": (
        "from .prices import RATE\n\n\ndef f():\n    return RATE + 1\n\n\ndef g():\n    return RATE\n"
    ),
    "shop/long.py": (
        "from .prices import Price\n\n\ndef f():\n    return Price(\n        1, 2\n    )\n"
    ),
    "shop/remark.py": "from .prices import Price\n\nBEST = Price(1, 2)  # one of them\n",
    "shop/outside.py": "from json import loads\n\nBEST = loads('[1, 2]')\n",
    "shop/broken.py": "from .prices import Price\n\nBEST = Price(1, 2))\n",
}
PACKAGE = "shop-1.0"


def write_siblings(root: Path) -> Path:
    """Write the tree below ``root`` and return it."""
    for name, text in FILES.items():
        path = root / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


class Looking:
    """Stands in for a gathering: it keeps what it was asked, and what the folder looked like."""

    asked: list[tuple[str, bytes, int]]
    folders: list[dict[str, str]]
    failed: dict[str, str]
    stops_at = 0
    """At which question it is interrupted, from 1 on; 0: never."""

    def __init__(self, root: Path, config: Any, **others: Any) -> None:
        self.root, self.config = root, config
        self.knows = False

    def __enter__(self) -> Looking:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def forget(self) -> None:
        self.knows = False

    def at(self, path: str, text: bytes, offset: int, *, language_id: str) -> Gathered:
        assert not self.knows, "what was known of the item before is still known"
        self.knows = True
        self.asked.append((path, text, offset))
        if len(self.asked) == self.stops_at:
            raise KeyboardInterrupt
        files = sorted(one for one in self.root.rglob("*") if one.is_file())
        self.folders.append(
            {one.relative_to(self.root).as_posix(): one.read_text("utf-8") for one in files}
        )
        snippet = pb.Snippet(path="shop/x.py", text=b"x = 1\n", kind="import", relevance=0.5)
        return Gathered(snippets=(snippet,), failed=self.failed)


def looking(**fields: Any) -> type[Looking]:
    """Return a class of it with a memory of its own."""
    return type("Mine", (Looking,), {"asked": [], "folders": [], "failed": {}} | fields)
