from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.build import cardinal, slices
from eval.build.cells import notebook_cells, split_cells
from eval.build.code import first_tokens
from eval.build.tree import SourceFile, Tree, read_tree, tree_of
from eval.item import to_bytes
from tests.eval.build.nasty import FILES, write_tree

MANY = 10_000


def tree_from(files: dict[str, bytes]) -> Tree:
    return tree_of("tree", [SourceFile(path=path, text=text) for path, text in files.items()])


def test_a_cardinal_item_and_what_is_left_out_of_it_are_the_file() -> None:
    items, warnings = cardinal.build(tree_from(FILES), MANY, 0)
    assert {item.path for item in items} >= set(FILES) - {"empty.py", "broken.py", "other.js"}
    for item in items:
        rest = to_bytes(item.data["rest"])
        assert item.prefix + item.reference + rest + item.suffix == FILES[item.path]
        assert item.suffix == b"" or item.suffix[:1] in b"\r\n"
        assert item.reference.strip()
    assert warnings == ["left out as no Python that can be read: 1 of the files"]


def test_a_cardinal_reference_is_read_as_the_tokens_that_the_file_has() -> None:
    for name, text in FILES.items():
        for point in cardinal.points(text) or []:
            tokens = first_tokens(text[point.at : point.end], point.depth, point.tokens)
            assert len(tokens) == point.tokens, (name, text[point.at : point.end])
            assert tokens[0].text == point.next


def found(source: bytes) -> list[tuple[bytes, bytes]]:
    return [(point.cardinal, point.next) for point in cardinal.points(source) or []]


def test_cardinal_points_are_tokens_of_code_and_operators_between_operands() -> None:
    assert found(b'x = "a. (" # f(x)\n') == []
    assert found(b"x = -1\nf(*a, **b)\n") == [(b"(", b"*"), (b",", b"**")]
    assert found(b"x = a - b ** c\n") == [(b"-", b"b"), (b"**", b"c")]
    assert found(b"@decorated\ndef f(): pass\n") == [(b"(", b")")]
    assert found(b"x = f'{a.b}'\n") == []
    assert found(b"x = a if b else c\n") == [(b"if", b"b"), (b"else", b"c")]
    assert found(b"x = a is not b\n") == [(b"is", b"not"), (b"not", b"b")]


def test_a_next_token_on_another_line_is_no_point() -> None:
    assert found(b"f(\n    a,\n    b)\n") == []


def test_the_blank_behind_a_keyword_is_typed_and_behind_a_sign_is_not() -> None:
    source = b"return x\nz = [x, y]\nraise(x)\nif  x: y\n"
    prefixes = {source[: point.at] for point in cardinal.points(source) or []}
    ends = (b"return ", b"[", b",", b"raise", b"raise(", b"if ")
    assert prefixes == {source[: source.index(end) + len(end)] for end in ends}


def test_new_names_are_left_out_and_known_ones_and_builtins_are_not() -> None:
    source = b"f(new)\nf(new, print, f.old)\nf(1)\n"
    items, _ = cardinal.build(tree_from({"a.py": source}), MANY, 0)
    asked = {(item.prefix, item.reference) for item in items}
    assert asked == {
        (b"f(new)\nf(", b"new, print,"),
        (b"f(new)\nf(new,", b" print, f."),
        (b"f(new)\nf(new, print,", b" f.old)"),
        (b"f(new)\nf(new, print, f.old)\nf(", b"1)"),
    }


def test_pairs_that_are_nearly_always_the_same_are_left_out() -> None:
    counts = Counter({(b"else", b":"): 96, (b"else", b"x"): 4, (b"in", b"a"): 95, (b"in", b"b"): 5})
    assert cardinal.deterministic(counts) == {(b"else", b":")}
    source = b"a = 1\n" + b"if a:\n    a\nelse:\n    a\n" * 30 + b"b = a if a else a\n"
    items, _ = cardinal.build(tree_from({"a.py": source}), MANY, 0)
    assert [i.reference for i in items if i.data["cardinal"] == "else"] == [b"a"]


def test_classes_of_next_tokens() -> None:
    source = b"a = b = 1\nf(a, 'x', a.b, [a], -a, not a, ...)\na.b\n"
    kinds = {(p.cardinal, p.next): p.kind for p in cardinal.points(source) or []}
    assert kinds[b"(", b"a"] == "name"
    assert kinds[b",", b"'x'"] == "literal"
    assert kinds[b".", b"b"] == "attribute"
    assert kinds[b",", b"["] == "bracket"
    assert kinds[b",", b"-"] == "operator"
    assert kinds[b",", b"not"] == "keyword"


def test_a_slice_item_is_the_file_or_its_cell() -> None:
    items, _ = slices.build(tree_from(FILES), MANY, 0)
    lf = {path: text.replace(b"\r\n", b"\n") for path, text in FILES.items()}
    assert {item.kind for item in items} == set(slices.KINDS)
    for item in items:
        whole = item.prefix + item.reference + item.suffix
        path = item.path.replace(".ipynb", ".py")
        if item.kind == "crlf":
            assert whole == lf[path].replace(b"\n", b"\r\n")
            assert item.eol == "\r\n"
        elif item.kind == "notebook":
            assert whole in split_cells(lf[path])
            earlier = b"".join(related.text for related in item.related)
            assert lf[path].startswith(earlier + whole)
        else:
            assert whole == lf[path]
    assert "mixed.py" not in {item.path for item in items}
    real_crlf = next(i for i in items if i.kind == "crlf" and i.path == "crlf.py")
    assert real_crlf.prefix + real_crlf.reference + real_crlf.suffix == FILES["crlf.py"]


def is_word(text: bytes) -> bool:
    return text.decode("utf-8", "replace").replace("\ufffd", "x").isidentifier()


def test_every_slice_is_cut_where_its_kind_says() -> None:
    items, _ = slices.build(tree_from(FILES), MANY, 0)
    for item in items:
        before, first, last = item.prefix[-1:], item.reference[:1], item.reference[-1:]
        match item.kind:
            case "boundary" | "crlf" | "notebook":
                assert not (is_word(before) and is_word(b"x" + first))
            case "identifier":
                assert is_word(before) or before >= b"\x80" or before.isdigit()
                assert is_word(b"x" + first) or first >= b"\x80"
            case "indentation":
                assert before in b" \t"
                assert first in b" \t"
                assert item.reference.strip()
            case "opening":
                assert before in b"(."
            case "right-edge":
                assert is_word(b"x" + item.suffix[:1]) or item.suffix[:1] >= b"\x80"
                assert is_word(b"x" + last) or last >= b"\x80"
            case "character":
                assert first[0] & 0xC0 == 0x80
            case "before-character":
                assert first[0] >= 0xC0
        if item.kind != "character":
            item.prefix.decode()
            item.reference.decode()
        assert b"\n" not in item.reference


def test_kinds_are_linked_by_their_middle_and_end_where_it_ends() -> None:
    items, _ = slices.build(tree_from(FILES), MANY, 0)
    groups: dict[str, dict[str, bytes]] = {}
    for item in items:
        middle = groups.setdefault(item.data["middle"], {})
        assert item.kind not in middle
        middle[item.kind] = item.reference
    for middle in groups.values():
        references = [text for kind, text in middle.items() if kind != "right-edge"]
        longest = max(references, key=len)
        assert all(longest.endswith(text) for text in references)
        assert middle.get("notebook", b"") in (b"", middle.get("boundary"))
    assert any(len(middle) == 8 for middle in groups.values())
    pairs = [set(m) for m in groups.values() if "character" in m]
    assert pairs
    assert all(pair == {"character", "before-character"} for pair in pairs)


def test_every_head_of_slices_holds_whole_middles_of_every_kind() -> None:
    body = FILES["plain.py"]
    tree = tree_from({f"p{n}/a.py": body.replace(b"Shelf", b"Shelf%d" % n) for n in range(8)})
    items, warnings = slices.build(tree, 40, 0)
    assert Counter(item.kind for item in items) == dict.fromkeys(slices.KINDS, 4)
    assert warnings == []
    assert len({item.path.split("/")[0] for item in items}) >= 4


def test_too_few_lines_of_a_kind_are_a_warning() -> None:
    plain = FILES["plain.py"].decode().encode("ascii", "ignore")
    items, warnings = slices.build(tree_from({"a.py": plain}), 30, 0)
    assert not any(item.kind == "character" for item in items)
    assert len(warnings) == 1
    assert "0 character" in warnings[0]


@pytest.mark.parametrize("build", [cardinal.build, slices.build])
def test_files_in_any_order_give_the_same_items_and_a_seed_gives_others(build) -> None:
    rows = list(FILES.items())
    first = build(tree_from(dict(rows)), 20, 0)
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        assert build(tree_from(dict(rows)), 20, 0) == first
    assert build(tree_from(dict(rows)), 20, 1)[0] != first[0]


@pytest.mark.parametrize("build", [cardinal.build, slices.build])
def test_a_smaller_limit_gives_the_beginning_of_a_larger_one(build) -> None:
    tree = tree_from(FILES)
    large, small = build(tree, 40, 0)[0], build(tree, 20, 0)[0]
    assert large[:20] == small


@pytest.mark.parametrize("build", [cardinal.build, slices.build])
def test_identities_are_unique(build) -> None:
    items, _ = build(tree_from(FILES), MANY, 0)
    assert len({item.id for item in items}) == len(items)


@pytest.mark.parametrize("name", sorted(FILES))
def test_cells_joined_are_the_file(name: str) -> None:
    cells = split_cells(FILES[name])
    assert b"".join(cells) == FILES[name]


def test_a_definition_is_a_cell_and_statements_between_share_one() -> None:
    text = b"import a\nb = 1\n\n\n@d\ndef f():\n    x\n\n# c\nclass C:\n    y\nz = 1\nw = 2\n"
    assert split_cells(text) == [
        b"import a\nb = 1\n", b"\n\n@d\ndef f():\n    x\n", b"\n# c\nclass C:\n    y\n",
        b"z = 1\nw = 2\n",
    ]  # fmt: skip


def test_branches_of_a_statement_stay_in_its_cell() -> None:
    text = b"if a:\n    b\nelse:\n    c\ntry:\n    d\nexcept E:\n    e\nfinally:\n    f\n"
    assert split_cells(text) == [text[: text.index(b"try")], text[text.index(b"try") :]]


NOTEBOOK = b"""{"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": [
 {"cell_type": "code", "source": ["import numpy\\n", "values = numpy.ones(3)"]},
 {"cell_type": "markdown", "source": ["# text"]},
 {"cell_type": "code", "source": "total = numpy.sum(values, axis='all')\\nprint(total)"}]}"""


def test_cells_of_a_real_notebook_are_taken_where_there_are_any() -> None:
    files = {"a.ipynb": NOTEBOOK, "b.py": FILES["plain.py"]}
    items, _ = slices.build(tree_from(files), MANY, 0)
    (item,) = [item for item in items if item.kind == "notebook"]
    assert item.path == "a.ipynb"
    whole = item.prefix + item.reference + item.suffix
    assert whole == b"total = numpy.sum(values, axis='all')\nprint(total)"
    assert [related.text for related in item.related] == [b"import numpy\nvalues = numpy.ones(3)"]


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"cells": [{}]}', b'{"cells": 3}', b"null"])
def test_what_is_no_notebook_has_no_cells(text: bytes) -> None:
    assert notebook_cells(text) == []


def test_a_notebook_of_another_language_has_no_cells() -> None:
    assert notebook_cells(NOTEBOOK.replace(b'"python"', b'"julia"')) == []


@given(st.lists(st.sampled_from(FILES["plain.py"].splitlines(keepends=True)), max_size=12))
def test_any_lines_that_are_python_keep_the_whole_file(lines: list[bytes]) -> None:
    text = b"".join(lines)
    tree = tree_from({"a.py": text})
    for item in cardinal.build(tree, MANY, 0)[0]:
        assert item.prefix + item.reference + to_bytes(item.data["rest"]) + item.suffix == text
    for item in slices.build(tree, MANY, 0)[0]:
        if item.kind not in ("crlf", "notebook"):
            assert item.prefix + item.reference + item.suffix == text


def test_a_tree_on_disk_gives_what_its_files_give(tmp_path: Path) -> None:
    tree = replace(read_tree(write_tree(tmp_path)), name="tree")
    assert slices.build(tree, 30, 0) == slices.build(tree_from(FILES), 30, 0)
