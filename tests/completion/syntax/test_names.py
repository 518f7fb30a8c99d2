from __future__ import annotations

from pathlib import Path

import pytest

from completion.syntax.languages import language_for
from completion.syntax.names import names_in_scope

SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())

PYTHON = """
import os.path as p
from a import b, c as d
K: int = 1
class A(B):
    z = 2
    def m(self, x, *args, y: int = 3, **kw) -> C:
        with open(x) as f:
            for i, (j, k) in f:
                if (w := i): q = w
                |
    def other(self, no): bad = 1
def later(nope): pass
"""


def split(document: str) -> tuple[bytes, int]:
    before, _, after = document.partition("|")
    return (before + after).encode(), len(before.encode())


def names(language_id: str, document: str) -> list[str]:
    source, offset = split(document)
    return [n.name.decode() for n in names_in_scope(language_for(language_id, ""), source, offset)]


@pytest.mark.parametrize(
    ("language", "document", "wanted", "hidden"),
    [
        ("python", PYTHON, "w k j i f kw y args x self A K d b p later", "z m other no bad nope B int C"),
        ("python", "def f(a):\n    def g(b):\n        pass\n    |", "a g f", "b"),
        ("python", "def f(a,\n      b|", "a f", ""),
        (
            "javascript",
            "import a, {b as c} from 'x';\nconst {d, e: f} = g, [h] = i;\nfunction j(k, l = 2, ...m) {\n"
            "  let n = 1; o.map((p, q) => { const r = s => s; if (x) { let t } |",
            "a c d f h j k l m n p q r",
            "t b",
        ),
        (
            "typescript",
            "async function f(c: string, d?: A): Promise<void> {\n  for (const [k, v] of e) { |",
            "f c d k v",
            "string A Promise",
        ),
        (
            "go",
            'package a\nimport (\n\t"fmt"\n)\nfunc (r *Recv) Do(a, b int, c ...string) (err error) {\n'
            "\tx, y := f()\n\tfor i, v := range c {\n\t\t|\n\t}\n}\nfunc Later() {}\n",
            "r Do a b c x y i v Later",
            "int",
        ),
        (
            "rust",
            "use std::collections::{HashMap, HashSet as S};\nfn f(x: &str, mut y: u8) {\n"
            "    let (a, b) = z;\n    if let Some(c) = g { q(|d, e| { |",
            "HashMap S f x y a b c d e",
            "std collections HashSet Some",
        ),
        (
            "java",
            "import java.util.List;\nclass A {\n  private int f = 1;\n  void m(String a, List<B> b) {\n"
            "    int c = 2;\n    for (D d : e) { |",
            "List A f m a b c d",
            "String java util",
        ),
        ("c", "static int g = 1;\nint f(char *a, struct b *c) {\n  int d, *e = 0;\n  |", "g f a c d e", "b"),
        ("csharp", "class A {\n  int F(string a, out int b) {\n    var c = 1;\n    |", "A F a b c", "string"),
        ("cpp", "auto f(const std::vector<int> &x, T *y) -> int {\n  for (auto z : x) { |", "f x y z", ""),
        (
            "ruby",
            "module M\n  class A\n    def m(a, b: 1)\n      d = 1\n      e.each do |f, g|\n"
            "        h, i = 1, 2\n        ^",
            "M A m a b d f g h i",
            "e each",
        ),
        ("shellscript", "A=1\nf() {\n  local b=2\n  for d in x; do\n    |\n  done\n}\n", "A f b d", "x"),
        (
            'kotlin',
            'import a.b.C\nfun f(x: Int): Int {\n  val z = 1\n  for (i in 1..2) { |',
            'C f x z i',
            'Int',
        ),
        ("php", "<?php\nuse A\\B;\nfunction f(int $a) {\n  $c = 1;\n  |", "B f $a $c", ""),
        (
            'lua',
            'local a = 1\nlocal function f(b, c)\n  local d, e = 1\n  for i, v in x do\n    |',
            'a f b c d e i v',
            'x',
        ),
        (
            'swift',
            'func f(_ x: Int, with y: String) {\n  guard let w = y else { return }\n  |',
            'f x y w',
            'Int',
        ),
    ],
)  # fmt: skip
def test_what_may_be_used_at_a_place(
    language: str, document: str, wanted: str, hidden: str
) -> None:
    if "^" in document:  # bars are part of the language
        before, _, after = document.partition("^")
        source, offset = (before + after).encode(), len(before)
        at = names_in_scope(language_for(language, ""), source, offset)
        found = [n.name.decode() for n in at]
    elif document.count("|") > 1:
        cut = document.rindex("|")
        source = (document[:cut] + document[cut + 1 :]).encode()
        at = names_in_scope(language_for(language, ""), source, cut)
        found = [n.name.decode() for n in at]
    else:
        found = names(language, document)
    assert set(wanted.split()) - set(found) == set()
    assert set(hidden.split()) & set(found) == set()


def test_the_nearest_definition_comes_first() -> None:
    assert names("python", "x = 1\ny = 2\ndef f(z):\n    v = 1\n    |")[:3] == ["v", "z", "f"]


def test_where_it_is_given_and_what_it_is() -> None:
    source, offset = split("import os\nx = 1\ndef f(a):\n    x = 2\n    |")
    found = {n.name: n for n in names_in_scope(language_for("python", ""), source, offset)}
    assert found[b"x"].at == source.rindex(b"x = 2")
    kinds = {name: found[name].kind for name in (b"os", b"f", b"a", b"x")}
    assert kinds == {b"os": "import", b"f": "definition", b"a": "parameter", b"x": "variable"}


def test_plain_text_has_no_names() -> None:
    assert names_in_scope(None, b"a = 1", 5) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_files_cut_anywhere_have_names(path: Path) -> None:
    source, language = path.read_bytes(), language_for("", path.name)
    for cut in range(0, len(source), 397):
        for text in (source, source[:cut]):
            for name in names_in_scope(language, text, cut):
                assert text[name.at : name.at + len(name.name)] == name.name
