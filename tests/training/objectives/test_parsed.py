from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from completion.syntax import node_places
from completion.syntax.node_places import SPANS, NodePlaces
from training.objectives import parsed as parsed_module
from training.objectives.ast_nodes import ast_nodes
from training.objectives.name_rows import names_from, rows_of
from training.objectives.names import names_of
from training.objectives.parsed import ABSENT, Found, names_in
from training.objectives.places import Places, parse_module

PACKAGES = ("_pytest", "pygments", "hypothesis", "jedi")
LEAST_SHARED = {
    "arguments": 0.999, "header": 0.985, "block": 0.999, "import": 0.999, "statement": 0.999,
    "name": 0.995, "docstring": 0.999, "body": 0.999,
}  # fmt: skip
"""Of what either finds. The grammar counts a condition's parentheses to the header, and a name that
``except`` binds as a name; it does not count starred targets and the classes of ``match``."""


def by_kind(nodes: NodePlaces) -> dict[str, set[tuple[int, int]]]:
    found = {kind: set(nodes.spans[kind]) for kind in SPANS}
    found["docstring"] = {d.docstring for d in nodes.definitions if d.docstring}
    found["body"] = {d.body for d in nodes.definitions if d.function and d.body}
    return found


def test_grammar_and_parser_agree_on_real_code() -> None:
    """See LEAST_SHARED for how far, of all that either finds."""
    root = Path(pytest.__file__).parents[1]
    shared = dict.fromkeys(LEAST_SHARED, 0)
    total = dict.fromkeys(LEAST_SHARED, 0)
    files = [p for name in PACKAGES for p in sorted((root / name).glob("*.py"))]
    for path in files:
        raw = path.read_bytes()
        tree = parse_module(raw.decode())
        if tree is None or not raw.isascii() or b"\r" in raw:
            continue
        theirs = by_kind(ast_nodes(Places(raw.decode()), tree))
        ours = by_kind(node_places.find_nodes(node_places.GRAMMARS[0], raw))
        for kind in LEAST_SHARED:
            shared[kind] += len(ours[kind] & theirs[kind])
            total[kind] += len(ours[kind] | theirs[kind])
    assert min(total.values()) > 500
    shares = {kind: shared[kind] / total[kind] for kind in total}
    assert {k: s for k, s in shares.items() if s < LEAST_SHARED[k]} == {}


def test_places_are_characters_in_text_that_is_no_ascii() -> None:
    text = '"""Größe 😀."""\n\ndef größe(ä):\n    """Ü."""\n    return rufe(ä, "é")\n'
    found = Found("a.py", text)
    (row,) = found.column("definition").tolist()
    assert [text[a:b] for a, b in zip(row[1::2], row[2::2], strict=True)] == [
        text[text.index("def") : -1], "größe", '"""Ü."""', 'return rufe(ä, "é")',
    ]  # fmt: skip
    assert [text[a:b] for a, b in found.column("arguments").tolist()] == ['ä, "é"']
    assert len(found.types()) == len(text.encode())


def test_what_a_definition_lacks_is_absent() -> None:
    text = 'class Größe:\n    """Ö."""\n\ndef f():\n    return 1\n'
    one, other = Found("a.py", text).column("definition").tolist()
    assert one[7:] == [ABSENT, ABSENT]
    assert other[5:7] == [ABSENT, ABSENT]
    assert (one[0], other[0]) == (0, 1)


def test_names_come_back_from_their_rows() -> None:
    text = Path(ast.__file__).read_text(encoding="utf-8")
    tree = parse_module(text)
    assert tree is not None
    names = names_of(Places(text), tree)
    found = Found("ast.py", text)
    assert names_from(text, found.column("identifier"), found.column("scope")) == names
    assert len({n.scope for n in names.found}) > 50
    assert rows_of(names_in(text, found)) == rows_of(names)


def test_names_of_other_languages_are_places() -> None:
    text = "package größe\n\nfunc f(a int) int { return a.b }\n"
    names = names_in(text, Found("a.go", text))
    assert [n.text for n in names.found] == ["größe", "f", "a", "int", "int", "a", "b"]
    assert not any(n.binds or n.bare for n in names.found)


def test_python_without_a_grammar_is_read_by_its_own_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on the machine of a packed run."""
    text = Path(sys.modules["textwrap" if "textwrap" in sys.modules else "ast"].__file__ or "")
    source = text.read_text(encoding="utf-8")
    with_grammar = Found("a.py", source)
    wanted = {name: with_grammar.column(name).tolist() for name in ("import", "statement")}
    monkeypatch.setattr(parsed_module, "grammar_for", lambda path: None)
    without = Found("a.py", source)
    assert {name: without.column(name).tolist() for name in wanted} == wanted
    assert Found("a.go", "package a\n").column("statement").shape == (0, 2)
