"""Items that use names of sibling files: which, that they are whole, and that nothing leaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from completion.config import ContextConfig
from eval.build.cross_file import CrossFile, build
from eval.build.cross_file_rows import build_rows
from eval.build.gathering import SOURCE_MS
from eval.build.tree import Tree, read_tree
from tests.eval.build.siblings import FILES, PACKAGE, looking, write_siblings


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return read_tree(write_siblings(tmp_path / "tree"))


def by_file(items: list[CrossFile]) -> dict[str, CrossFile]:
    found = {item.path.removeprefix(f"{PACKAGE}/"): item for item in items}
    assert len(found) == len(items)
    return found


def test_items_are_first_uses_of_what_siblings_define(tree: Tree) -> None:
    items = by_file(build(tree, 0, 0))
    defined = {path: (item.name, item.defined_in, item.line) for path, item in items.items()}
    assert defined == {
        "shop/cart.py": ("price_of", f"{PACKAGE}/shop/prices.py", 13),
        "shop/show/bill.py": ("Price", f"{PACKAGE}/shop/prices.py", 6),  # through __init__
        "shop/show/boot.py": ("load_settings", f"{PACKAGE}/shop/settings.py", 4),
    }


def test_a_reference_is_the_rest_of_its_line_from_before_the_name(tree: Tree) -> None:
    for item in build(tree, 0, 0):
        before, after = item.text[: item.start], item.text[item.end :]
        assert before + item.reference + after == item.text
        assert after.startswith(b"\n")
        assert item.name.encode() in item.reference
        lines = [line for line in (before + after).splitlines() if b"import" not in line]
        assert not any(item.name.encode() in line.replace(b"price_of_all", b"") for line in lines)


def test_the_same_call_gives_the_same_items_and_another_seed_other_cuts(tree: Tree) -> None:
    assert build(tree, 0, 0) == build(tree, 0, 0)
    assert build(tree, 2, 0) == build(tree, 0, 0)[:2]
    assert len({tuple(item.start for item in build(tree, 0, seed)) for seed in range(6)}) > 1


def test_rows_give_the_file_back_and_are_the_same_items_in_every_context(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lsp.context.gather_now.Gathering", looking())
    items = build(tree, 0, 0)
    arms = [[one.row for one in build_rows(items, tree, c)] for c in ("none", "gathered")]
    arms.append([one.row for one in build_rows(items, tree, "definition")])
    for rows in zip(*arms, strict=True):
        bare = [{k: v for k, v in row.items() if k != "crossfile_context"} for row in rows]
        assert bare[0] == bare[1] == bare[2] == rows[0]
        name = rows[0]["metadata"]["file"]
        text = rows[0]["prompt"] + rows[0]["groundtruth"] + rows[0]["right_context"]
        assert text == FILES[name]


def test_the_definition_is_shown_as_gathering_shows_it(tree: Tree) -> None:
    built = list(build_rows(build(tree, 0, 0), tree, "definition"))
    assert all(one.shows_definition for one in built)
    shown = {one.row["metadata"]["name"]: one.row["crossfile_context"]["list"] for one in built}
    assert shown["price_of"] == [
        {
            "retrieved_chunk": "def price_of(item, *, taxed=False):\n"
            '    """Return what an item costs."""\n',
            "filename": "shop/prices.py", "score": 1.0, "kind": "definition",
        }
    ]  # fmt: skip
    (price,) = shown["Price"]
    assert price["retrieved_chunk"].startswith("class Price:\n")
    assert "def __init__(self, cents: int" in price["retrieved_chunk"]


def test_while_it_is_gathered_for_an_item_only_other_files_are_as_they_are(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = looking(failed={"index": "indexing, 3 files so far"})
    monkeypatch.setattr("lsp.context.gather_now.Gathering", fake)
    items = build(tree, 0, 0)
    built = list(build_rows(items, tree, "gathered"))
    assert len(fake.folders) == len(items) == 3
    for (path, text, offset), folder, one in zip(fake.asked, fake.folders, built, strict=True):
        row = one.row
        assert (path, offset) == (row["metadata"]["file"], len(row["prompt"].encode()))
        assert text.decode() == row["prompt"] + row["right_context"]
        assert folder == FILES | {path: text.decode()}
        assert row["groundtruth"] not in folder[path]
        assert one.lacking == fake.failed
        assert not one.shows_definition
        (chunk,) = row["crossfile_context"]["list"]
        assert (chunk["kind"], chunk["score"]) == ("import", 0.5)


def test_a_gathering_has_time_and_its_own_budget(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[ContextConfig] = []
    fake = looking(__enter__=lambda self: seen.append(self.config) or self)
    monkeypatch.setattr("lsp.context.gather_now.Gathering", fake)
    list(build_rows(build(tree, 0, 0), tree, "gathered", ContextConfig(max_bytes=77)))
    assert [config.max_bytes for config in seen] == [77]
    assert seen[0].definitions_ms == seen[0].imports_ms == SOURCE_MS
    nothing = list(build_rows(build(tree, 0, 0), tree, "gathered", ContextConfig(max_bytes=0)))
    assert len(seen) == 1  # nothing fits, and nothing is gathered
    assert not any("crossfile_context" in one.row for one in nothing)


def test_what_is_really_gathered_has_the_definition_and_not_the_answer(tree: Tree) -> None:
    items = build(tree, 0, 0)
    built = list(build_rows(items, tree, "gathered"))
    assert [dict(one.lacking) for one in built] == [{}] * 3  # the index too was complete
    for one in built:
        row = one.row
        chunks = row["crossfile_context"]["list"]
        assert one.shows_definition, row["metadata"]["file"]
        assert one.seconds > 0
        for chunk in chunks:
            assert row["groundtruth"] not in chunk["retrieved_chunk"]
            assert "answer.json" not in chunk["retrieved_chunk"]
            if chunk["filename"] == row["metadata"]["file"]:
                lines = (row["prompt"] + row["right_context"]).split("\n")
                assert set(chunk["retrieved_chunk"].split("\n")) <= set(lines)
