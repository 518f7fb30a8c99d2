from __future__ import annotations

from training.corpus.imports import import_order
from training.corpus.shards import Document


def ordered(files: dict[str, str]) -> list[str]:
    documents = [Document("p", path, text) for path, text in files.items()]
    placed = import_order(documents)
    assert sorted(placed) == list(range(len(documents)))
    return [documents[i].path for i in placed]


def test_a_module_stands_behind_those_that_it_imports() -> None:
    files = {
        "p/__init__.py": "from p.alpha import run\n",
        "p/alpha.py": "import os\nfrom . import zeta\nfrom .middle.core import thing\n",
        "p/middle/__init__.py": "",
        "p/middle/core.py": "def f():\n    import p.zeta\n",
        "p/zeta.py": "x = 1\n",
    }
    assert ordered(files) == [
        "p/zeta.py", "p/middle/core.py", "p/alpha.py", "p/__init__.py", "p/middle/__init__.py",
    ]  # fmt: skip
    assert ordered(dict(reversed(files.items()))) == ordered(files)


def test_a_circle_is_cut_where_it_leads_back() -> None:
    files = {"p/a.py": "import p.b\n", "p/b.py": "import p.c\n", "p/c.py": "import p.a\n"}
    assert ordered(files) == ["p/c.py", "p/b.py", "p/a.py"]


def test_relative_paths_of_other_languages() -> None:
    files = {
        "src/a.c": '#include <stdio.h>\n#include "../include/z.h"\n',
        "include/z.h": "int z;\n",
        "web/a.ts": "import { b } from './lib/b';\nconst c = require('../web/c.ts')\n",
        "web/c.ts": "export {}\n",
        "web/lib/b.ts": "import x from 'react';\n",
    }
    found = ordered(files)
    assert found.index("include/z.h") < found.index("src/a.c")
    assert found.index("web/lib/b.ts") < found.index("web/a.ts")
    assert found.index("web/c.ts") < found.index("web/a.ts")


def test_text_that_does_not_parse_stands_where_its_path_says() -> None:
    files = {"p/c.py": "x = 1\n", "p/b.py": "def (:\n", "p/a.py": "import p.c\nimport p.b\n"}
    assert ordered(files) == ["p/c.py", "p/a.py", "p/b.py"]
