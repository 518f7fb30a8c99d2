"""Python files as they are rarely written; every one of them is valid."""

from __future__ import annotations

from pathlib import Path

_BODY = '''\
import os
from typing import Any

@staticmethod
def combine(first: int, second: int = -1, *rest: int, **names: Any) -> str:
    """Add them up — naïvely."""
    total = first + second * len(rest)
    if total is not None and first in rest:
        raise ValueError(f"{total!r:>{second}} of {names['a']}", os.path.join("é", "b"))
    return os.fspath(total) + str(names.get("key", "value"))  # größer


class Shelf:
    def __init__(self, names):
        self.names = [name for name in names if name]
        self.total = combine(1, 2, *names, key="a value")

    def show(self):
        print("☣ total", self.total, combine(self.total, 2))
        return lambda other: other.total if other else self.names[0]
'''

FILES: dict[str, bytes] = {
    "plain.py": _BODY.encode(),
    "tabs.py": _BODY.replace("    ", "\t").encode(),
    "crlf.py": _BODY.replace("\n", "\r\n").encode(),
    "mixed.py": _BODY.replace("\n", "\r\n", 7).encode(),
    "formfeed.py": _BODY.replace("\n\nclass", "\n\x0c\nclass").encode(),
    "formfeed_first.py": b"\x0cx = 1\n\x0cdef f(a):\n    return a.real + a.imag\n",
    "bom.py": b"\xef\xbb\xbf" + _BODY.encode(),
    "no_final_newline.py": _BODY.rstrip("\n").encode(),
    "match.py": b"def f(command):\n    match command.split():\n        case [first, *rest] if rest:\n"
    b'            return "many words", first, command.upper("x")\n        case _:\n'
    b"            return None\n",
    "names.py": "größe = 1\nπ = größe + größe\nfoo(größe, π.real, größe[π])\n".encode(),
    "emoji.py": 'faces = {"😀": "grin 👩‍👩‍👧", "☣": "x"}\nprint(faces["😀"], faces.get("☣"))\n'.encode(),
    "fstrings.py": b"a = b = 1\nx = f\"{a}{{b}}{b!r:>{a}}\" + rf'{a:\\d}' + f'''{a\n}'''\n"
    b'y = x if a in (b, x) else "".join([x, f"{a + b}"])\n',
    "joined.py": b"a = 1\nb = a + \\\n    a\nc = (a,  # one\n     b, a)[0]; d = a and b\n",
    "comment_last.py": b"a = [1, 2]  # end\nif a: a.append(a[0]); print(a)  # x",
    "empty.py": b"",
    "broken.py": b"def f(:\n    return 'x\n",
    "other.js": b"const x = 1;\n",
}


def write_tree(root: Path, files: dict[str, bytes] = FILES) -> Path:
    """Write ``files`` below ``root`` and return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return root
