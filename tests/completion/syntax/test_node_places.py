from __future__ import annotations

from pathlib import Path

import pytest

from completion.syntax import node_places
from completion.syntax.node_places import NodePlaces, find_nodes, grammar_for
from completion.syntax.node_queries import GRAMMARS, PYTHON, Grammar

BY_NAME = {grammar.name: grammar for grammar in GRAMMARS}
SOURCES = {
    "javascript": (
        b'import a from "b";\n// makes\nexport const f = async (x) => { return x.y(1); };\n'
        b"class A extends B { run(k) { for (const c of k) g(c); if (k > 1) { z = 1; } } }\n"
    ),
    "go": (
        b'package x\nimport "fmt"\n\n// Run runs.\nfunc (f *F) Run(a int) error {\n'
        b"\tfor _, v := range xs {\n\t\tfmt.Println(v)\n\t}\n\tx := 1\n\treturn nil\n}\n"
    ),
    "java": (
        b"import a.b.C;\nclass Foo {\n    /** Runs. */\n    String run(int b) {\n"
        b"        if (b > 1) { x.y(b); }\n        int z = 1;\n        return null;\n    }\n}\n"
    ),
    "c": (
        b"#include <a.h>\n/* Adds. */\nstatic int *f(int a) {\n"
        b"  for (int i = 0; i < 3; i++) { g(i, a->b); }\n  int q = 3;\n  return 0;\n}\n"
    ),
    "rust": (
        b"use a::b;\n/// Makes.\n#[inline]\npub fn new(x: i32) -> P {\n    let a = b.c(x);\n"
        b"    for i in 0..3 { g(i); }\n    if a { w() }\n    P { x }\n}\n"
    ),
}
EXPECTED = {
    "javascript": {
        "import": ['import a from "b";'], "arguments": ["1", "c"], "header": ["c of k", "k > 1"],
        "block": ["g(c);", "z = 1;"], "docstring": ["// makes"],
        "statement": ['import a from "b";', "return x.y(1);", "g(c);", "z = 1;"],
        "body": ["return x.y(1);", "for (const c of k) g(c); if (k > 1) { z = 1; }"],
    },
    "go": {
        "import": ['import "fmt"'], "arguments": ["v"], "block": ["fmt.Println(v)"],
        "header": ["Run(a int) error {", "_, v := range xs"], "docstring": ["// Run runs."],
        "statement": ['import "fmt"', "fmt.Println(v)", "x := 1", "return nil"],
        "body": ["for _, v := range xs {\n\t\tfmt.Println(v)\n\t}\n\tx := 1\n\treturn nil"],
    },
    "java": {
        "import": ["import a.b.C;"], "arguments": ["b"], "block": ["x.y(b);"],
        "header": ["Foo {", "run(int b) {", "b > 1"], "docstring": ["/** Runs. */"],
        "statement": ["import a.b.C;", "x.y(b);", "int z = 1;", "return null;"],
        "body": ["if (b > 1) { x.y(b); }\n        int z = 1;\n        return null;"],
    },
    "c": {
        "import": ["#include <a.h>"], "arguments": ["i, a->b"], "block": ["g(i, a->b);"],
        "header": ["f(int a) {", "int i = 0; i < 3; i++"], "docstring": ["/* Adds. */"],
        "statement": ["#include <a.h>", "g(i, a->b);", "int q = 3;", "return 0;"],
        "body": ["for (int i = 0; i < 3; i++) { g(i, a->b); }\n  int q = 3;\n  return 0;"],
    },
    "rust": {
        "import": ["use a::b;"], "arguments": ["x", "i"], "block": ["g(i);", "w()"],
        "header": ["new(x: i32) -> P {", "i in 0..3", "a"], "docstring": ["/// Makes."],
        "statement": ["use a::b;", "let a = b.c(x);", "g(i);"],
        "body": ["let a = b.c(x);\n    for i in 0..3 { g(i); }\n    if a { w() }\n    P { x }"],
    },
}  # fmt: skip


def texts(source: bytes, nodes: NodePlaces) -> dict[str, list[str]]:
    found = dict(nodes.spans)
    found["docstring"] = [d.docstring for d in nodes.definitions if d.docstring]
    found["body"] = [d.body for d in nodes.definitions if d.function and d.body]
    return {kind: [source[a:b].decode() for a, b in places] for kind, places in found.items()}


@pytest.mark.parametrize("name", SOURCES)
def test_each_kind_is_found_in_every_language(name: str) -> None:
    nodes = find_nodes(BY_NAME[name], SOURCES[name])
    assert not nodes.broken
    found = texts(SOURCES[name], nodes)
    assert {kind: found[kind] for kind in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda g: g.name)
def test_names_are_no_declarations_and_identifiers_are_all(grammar: Grammar) -> None:
    source = SOURCES.get(grammar.name, b"def f(x):\n    return x.y(g)\n")
    nodes = find_nodes(grammar, source)
    assert set(nodes.identifiers) >= {d.name for d in nodes.definitions}
    assert not set(nodes.spans["name"]) & {
        d.name for d in nodes.definitions if d.function and grammar.name != "javascript"
    }
    assert nodes.identifiers == sorted(set(nodes.identifiers))


def test_broken_text_has_the_places_of_what_parses() -> None:
    source = b"def good(a):\n    return f(a)\n\ndef bad(:\n    x = (\n\nimport os\n"
    nodes = find_nodes(PYTHON, source)
    assert nodes.broken
    assert "a" in texts(source, nodes)["arguments"]
    assert "return f(a)" in texts(source, nodes)["body"]


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda g: g.name)
def test_any_cut_of_a_source_is_read_and_every_place_lies_in_it(grammar: Grammar) -> None:
    source = SOURCES.get(grammar.name) or Path(node_places.__file__).read_bytes()[:4000]
    for end in range(0, len(source), 7):
        nodes = find_nodes(grammar, source[:end])
        for places in (*nodes.spans.values(), nodes.identifiers):
            assert all(0 <= a < b <= end for a, b in places)


def test_strings_that_describe_nothing_are_no_docstrings() -> None:
    for opening in ('f"', 'b"', '"a" f"'):
        source = f'def f():\n    {opening}x"\n    return 1\n'.encode()
        (found,) = find_nodes(PYTHON, source).definitions
        assert found.docstring is None
    (found,) = find_nodes(PYTHON, b'def f():\n    r"x"\n    return 1\n').definitions
    assert found.docstring == (13, 17)


def test_grammars_are_told_by_endings_and_only_where_they_are_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert grammar_for("A/B.PY") is PYTHON
    assert grammar_for("a.unknown") is None
    monkeypatch.setattr(node_places, "_installed", lambda module: False)
    assert grammar_for("a.py") is None
