"""What a file imports is found in the workspace, in each language's way of naming it."""

from __future__ import annotations

import pytest

from tests.lsp.context.workspace import gather, spot, write

PYTHON = {
    "pkg/__init__.py": "from .store import Store\n",
    "pkg/store.py": "class Store:\n    size: int\n    def __init__(self, path: str): ...\n\n"
    "def unused(): ...\n",
    "pkg/tools/names.py": "def tidy(name: str) -> str: ...\n",
}


def shown(root, path: str, text: str) -> dict[str, str]:
    gathered = gather(root, spot(path, text))
    return {one.path: one.text.decode() for one in gathered.snippets if one.kind == "import"}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app.py", "from pkg.store import Store\nStore(¦\n", "pkg/store.py"),
        ("app.py", "from pkg import Store\nStore(¦\n", "pkg/store.py"),
        ("pkg/use.py", "from .store import (\n    Store as S,\n)\nS(¦", "pkg/store.py"),
        ("pkg/tools/use.py", "from ..store import *\nStore(¦", "pkg/store.py"),
        ("pkg/tools/use.py", "from .. import store\nstore.Store(¦", "pkg/store.py"),
        ("app.py", "import pkg.tools.names as n\nn.tidy(¦", "pkg/tools/names.py"),
    ],
)
def test_python_imports_lead_to_their_modules(tmp_path, path, text, expected):
    assert expected in shown(write(tmp_path, PYTHON), path, text)


def test_of_a_module_what_is_used_is_shown(tmp_path):
    text = shown(write(tmp_path, PYTHON), "app.py", "import pkg.store\npkg.store.Store(¦")
    assert "class Store:" in text["pkg/store.py"]
    assert "unused" not in text["pkg/store.py"]


@pytest.mark.parametrize(
    ("files", "path", "text", "expected"),
    [
        ({"src/api.ts": "export function fetchUser(id: string): User { return x }\n"},
         "src/view/page.ts", "import { fetchUser as load } from '../api.js'\nload(¦", "fetchUser(id"),
        ({"src/list/index.ts": "export class List { size = 0 }\n"},
         "src/main.tsx", "import { List } from './list'\nnew List(¦", "class List"),
        ({"lib/old.js": "function twice(x) { return 2 * x }\nmodule.exports = { twice }\n"},
         "app.js", "const { twice } = require('./lib/old')\ntwice(¦", "twice(x)"),
        ({"go.mod": "module example.org/shop\n", "stock/stock.go":
          "package stock\n\nfunc Count(name string) int { return 0 }\n"},
         "main.go", 'package main\n\nimport (\n\t"fmt"\n\t"example.org/shop/stock"\n)\n\n'
         "func main() {\n\tstock.Count(¦", "Count(name string)"),
        ({"src/store/mod.rs": "pub struct Store { size: usize }\n",
          "src/store/disk.rs": "pub fn open(path: &str) -> u8 { 0 }\n"},
         "src/main.rs", "use crate::store::{Store, disk::open};\nfn main() { open(¦", "open(path"),
        ({"src/main/java/org/shop/Stock.java":
          "package org.shop;\npublic class Stock { int size; Stock(int n) {} }\n"},
         "src/main/java/org/app/Main.java",
         "package org.app;\nimport org.shop.Stock;\nclass Main { Stock s = new Stock(¦", "class Stock"),
        ({"include/list.h": "struct list { int size; };\nint list_size(struct list *l);\n"},
         "src/main.c", '#include <stdio.h>\n#include "list.h"\nint main() { list_size(¦',
         "list_size(struct list *l)"),
        ({"lib/stock.rb": "class Stock\n  def count(name)\n  end\nend\n"},
         "lib/shop.rb", "require_relative 'stock'\nStock.new.count(¦", "def count(name)"),
    ],
    ids=["ts", "ts-index", "require", "go", "rust", "java", "c", "ruby"],
)  # fmt: skip
def test_other_languages_name_files_in_their_own_ways(tmp_path, files, path, text, expected):
    found = shown(write(tmp_path, files), path, text)
    assert any(expected in one for one in found.values()), found


def test_imports_never_lead_out_of_the_workspace(tmp_path):
    write(tmp_path, {"outside.py": "def secret(): ...\n", "w/a/b.py": ""})
    (tmp_path / "w" / "link.py").symlink_to(tmp_path / "outside.py")
    root = tmp_path / "w"
    for text in (
        "from ...outside import secret\nsecret(¦",
        "from ....outside import secret\nsecret(¦",
        "from link import secret\nsecret(¦",
    ):
        assert not gather(root, spot("a/b.py", text)).snippets
    for text in ("import { x } from '../../outside'\nx(¦", '#include "../../outside.py"\n¦'):
        assert not gather(root, spot("a/b.ts" if "import" in text else "a/b.c", text)).snippets
