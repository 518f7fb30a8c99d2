"""Names and what they refer to, in packages small enough to be resolved by hand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import jedi
import pytest

from completion.syntax.definitions import definitions
from completion.syntax.languages import LANGUAGES
from training.corpus.resolve import Resolver
from training.corpus.shards import Document


def package(files: dict[str, str]) -> list[Document]:
    return [Document("demo", path, text) for path, text in files.items()]


def resolved(use: str, files: dict[str, str] | None = None) -> dict[str, str]:
    """Each name behind a ``«`` in ``use``, to the path and line of its definition.

    A name without an answer is missing.
    """
    marked = {
        match.start() - n: match.group(1) for n, match in enumerate(re.finditer(r"«(\w+)", use))
    }
    plain = package({**(files or FILES), "demo/use.py": use.replace("«", "")})
    out: dict[str, str] = {}
    for found in Resolver(plain).uses(len(plain) - 1):
        if found.start in marked:
            assert plain[-1].text[found.start : found.end] == marked[found.start]
            there = plain[found.document]
            out[marked[found.start]] = f"{there.path}:{there.text.count(chr(10), 0, found.at) + 1}"
    return out


FILES = {
    "demo/__init__.py": "from .store import Store as Shop, open_store\nfrom . import store\n",
    "demo/base.py": "class Base:\n    def close(self): pass\n    def flush(self): pass\n",
    "demo/store.py": """\
from __future__ import annotations
from .base import Base

LIMIT = 3

class Store(Base):
    size: int = 0

    def __init__(self, other: Store | None = None):
        self.other = other
        self.log = Base()

    @property
    def twin(self) -> "Store":
        return self

    def add(self, item):
        return self

def open_store(path) -> Store:
    return Store()
""",
    "demo/extra/deep.py": "from ..store import *\nfrom demo import store as s\nHERE = 1\n",
}


def test_imports_are_followed_to_where_the_name_is_defined() -> None:
    use = """
import demo.store
from demo import «Shop, store
from demo.store import open_store as opened
from demo.extra import deep
from .base import *
demo.store.«LIMIT
deep.«HERE
deep.s.«open_store
deep.«Store
store.Store.«size
«Base
"""
    assert resolved(use) == {
        "Shop": "demo/store.py:6",
        "LIMIT": "demo/store.py:4",
        "HERE": "demo/extra/deep.py:3",
        "open_store": "demo/store.py:20",
        "Store": "demo/store.py:6",
        "size": "demo/store.py:7",
        "Base": "demo/base.py:1",
    }


def test_objects_are_known_by_calls_annotations_and_what_methods_give_them() -> None:
    use = """
from demo import Shop, open_store

def run(shop: "Shop", *rest):
    shop.«twin.«other.«add(1)
    again = open_store("x")
    again.«log.«flush()
    Shop().«close()
    with open("f") as shop2:
        shop2.close()
"""
    assert resolved(use) == {
        "twin": "demo/store.py:14",
        "other": "demo/store.py:10",
        "add": "demo/store.py:17",
        "log": "demo/store.py:11",
        "flush": "demo/base.py:3",
        "close": "demo/base.py:2",
    }


def test_methods_see_their_object_their_class_and_what_it_inherits() -> None:
    use = """
from demo.store import Store

class Mine(Store):
    def add(self, item):
        super().«add(item)
        self.«flush()
        return self.«mine

    @classmethod
    def make(cls):
        return cls.«size

    mine = 1
"""
    assert resolved(use) == {
        "add": "demo/store.py:17",
        "flush": "demo/base.py:3",
        "mine": "demo/use.py:14",
        "size": "demo/store.py:7",
    }


def test_what_is_bound_nearer_hides_what_is_imported() -> None:
    use = """
from demo.store import LIMIT, open_store, Store

def one(LIMIT):
    return «LIMIT.x

def two(values):
    for open_store in values:
        «open_store()
    return [«Store for Store in values]

class Three:
    LIMIT = 2
    def four(self):
        return «LIMIT
"""
    found = resolved(use.replace("«LIMIT.x", "LIMIT.x"))
    assert found == {"LIMIT": "demo/store.py:4"}


def test_unknown_and_circular_things_have_no_answer() -> None:
    files = {
        "demo/one.py": "from .two import thing\nfrom .two import *\n",
        "demo/two.py": "from .one import thing\nfrom .one import *\n",
        "demo/three.py": "class A(B): pass\nclass B(A): pass\nx = y\ny = x\n",
        "demo/broken.py": "def f(:\n",
    }
    use = """
import os
from demo.one import «thing, «nothing
from demo.three import A, x
from demo import broken
A().«missing
x.«more
os.«path
broken.«f
"""
    assert resolved(use, files) == {}


def test_the_last_of_overloads_is_the_function() -> None:
    overloads = (
        "@overload\ndef f(a: int): ...\n@typing.overload\ndef f(a: str): ...\ndef f(a): ...\n"
    )
    files = {"demo/over.py": "import typing\nfrom typing import overload\n" + overloads}
    assert resolved("from demo.over import «f\n", files) == {"f": "demo/over.py:7"}


def test_folder_that_packages_lie_in_is_none_itself() -> None:
    files = {"src/demo/a.py": "ONE = 1\n"}
    assert resolved("from demo.a import «ONE\n", files) == {"ONE": "src/demo/a.py:1"}


def test_answers_are_jedis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is slow, so it is asked about every fifteenth name of some files."""
    monkeypatch.setattr(jedi.settings, "cache_directory", str(tmp_path / ".cache"))
    same = other = 0
    for name in ("pathspec", "cachetools"):
        documents = installed(name, tmp_path)
        project = jedi.Project(tmp_path, sys_path=[str(tmp_path)], smart_sys_path=False)
        resolver = Resolver(documents)
        for number, document in enumerate(documents[:10]):
            script = jedi.Script(document.text, path=tmp_path / document.path, project=project)
            for use in resolver.uses(number)[::15]:
                target = documents[use.document]
                if not _is_definition(target.text, use.at):
                    continue  # a parameter, which no one is shown
                answers = script.goto(*_line_column(document.text, use.start), follow_imports=True)
                places = {(a.module_path, a.line, a.column) for a in answers if a.module_path}
                if places:
                    wanted = (tmp_path / target.path, *_line_column(target.text, use.at))
                    same, other = same + (wanted in places), other + (wanted not in places)
    assert same > 25
    assert other <= 0.08 * (same + other)


def installed(name: str, out: Path) -> list[Document]:
    """Copy an installed package to a tree of its own, where nothing else is found."""
    spec = importlib.util.find_spec(name)
    assert spec and spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0])
    documents: list[Document] = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        copy = out / name / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
        documents.append(Document(name, copy.relative_to(out).as_posix(), text))
    return documents


def _line_column(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1


def _is_definition(text: str, at: int) -> bool:
    found = definitions(LANGUAGES[0], text.encode())
    return text.isascii() and any(d.at == at for d in found)
