"""Names near a cursor, edits as hunks, fusion, budget, steps: the pure parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.syntax.definitions import Piece
from completion.wire import completion_pb2 as pb
from lsp.context.budget import PER_FILE, choose, fitting_cells, joined
from lsp.context.found import Found, Text
from lsp.context.fuse import K, Ranked, fuse
from lsp.context.recent import MAX_HUNKS, Edits
from lsp.context.recent import PER_FILE as HUNKS_OF_A_FILE
from lsp.context.steps import FAR, LEAST_S, Steps
from lsp.context.uses import uses_near
from lsp.context.viewed import CHUNK, CHUNKS, Ring
from lsp.context.words import alike, words
from lsp.documents import LineText, Splice
from tests.lsp.context.workspace import spot


def names(text: str, path: str = "a.py") -> list[str]:
    return [use.name.decode() for use in uses_near(spot(path, text))]


def test_the_nearest_names_come_first_and_comments_do_not_count():
    text = "far = away(1)\n# not_this\nstore = Store('nor_this')\nstore.open(mode, ¦\nbelow()\n"
    found = names(text)
    assert found[:3] == ["mode", "open", "store"]
    assert not {"not_this", "nor_this"} & set(found)
    assert found.index("Store") < found.index("below") < found.index("away")


def test_in_a_docstring_that_began_far_above_nothing_is_a_name():
    text = 'x = """\n' + "word about things\n" * 60 + '"""\nuse(thing, ¦'
    assert names(text) == ["thing", "use"]


def test_what_stands_before_a_dot_is_known():
    (use, *_) = uses_near(spot("a.py", "self.client.fetch¦"))
    assert (use.name, use.owner) == (b"client", b"self.")
    by_name = {use.name: use for use in uses_near(spot("a.py", "self.client.fetch(a, ¦"))}
    assert by_name[b"fetch"].owner == b"self.client."


@given(st.text(alphabet="ab.(\"'#\n é\t", max_size=80), st.integers(0, 80))
def test_any_text_has_names_that_stand_where_they_say(text, at):
    place = spot("a.py", text[:at] + "¦" + text[at:])
    for use in uses_near(place):
        assert place.text[use.at : use.at + len(use.name)] == use.name


def test_an_edits_lines_move_with_edits_above_them():
    edits = Edits()
    edits.edited("a", Splice(first=50, removed=1, added=2))
    edits.edited("a", Splice(first=10, removed=1, added=4))
    assert [(h.first, h.end) for h in edits.hunks()] == [(10, 14), (53, 55)]


def test_edits_side_by_side_are_one_hunk_and_a_paste_is_none():
    edits = Edits()
    for line in (5, 7, 6):
        edits.edited("a", Splice(first=line, removed=1, added=1))
    assert [(h.first, h.end) for h in edits.hunks()] == [(5, 8)]
    edits.edited("b", Splice(first=0, removed=1, added=500))
    assert [h.path for h in edits.hunks()] == ["a"]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6), st.integers(0, 6)), max_size=60))
def test_hunks_stay_within_the_document_and_their_number(edits_made):
    edits, size = Edits(), 50
    for first, removed, added in edits_made:
        first = min(first, size - 1)
        removed = min(removed, size - first)
        added = max(added, 1 if size - removed == 0 else 0)
        edits.edited("a", Splice(first=first, removed=removed, added=added))
        size += added - removed
        hunks = edits.hunks()
        assert len(hunks) <= HUNKS_OF_A_FILE
        assert all(0 <= h.first <= h.end <= size for h in hunks)


def test_only_so_many_files_are_remembered():
    edits, ring = Edits(), Ring()
    for number in range(3 * MAX_HUNKS):
        edits.edited(str(number), Splice(first=0, removed=1, added=1))
        ring.looked(str(number), CHUNK * 3 + 1)
    assert len(edits.hunks()) == MAX_HUNKS
    assert edits.hunks()[0].path == str(3 * MAX_HUNKS - 1)
    assert len(ring) == CHUNKS
    assert ring.views()[0] == (str(3 * MAX_HUNKS - 1), 3)


def test_a_document_written_anew_is_an_edit_of_what_is_different():
    edits, text = Edits(), LineText("one\ntwo\nthree\nfour\n")
    edits.edited("a", text.rewrite("one\ntwo\nTHREE\nfour\n"))
    assert [(h.first, h.end) for h in edits.hunks()] == [(2, 3)]


def found(path: str, start: int, end: int, data: bytes = b"x = 1\n" * 500) -> Found:
    text = Text(path=path, data=data, language=None)
    return Found(text=text, kind="definition", pieces=(Piece(start, end),), why="defines")


def test_what_two_sources_agree_on_comes_first():
    one, two, three = (found(path, 0, 5) for path in "abc")
    ranked = fuse({"x": [one, two], "y": [two, three]}, {})
    assert [r.found.text.path for r in ranked] == ["b", "a", "c"]
    assert ranked[0].score == pytest.approx(1 / (K + 2) + 1 / (K + 1))
    assert ranked[0].sources == ("x", "y")


def test_a_weight_makes_a_source_count_more():
    ranked = fuse({"x": [found("a", 0, 5)], "y": [found("b", 0, 5)]}, {"x": 0.5, "y": 1.0})
    assert [r.found.text.path for r in ranked] == ["b", "a"]


def test_one_file_is_one_snippet_and_the_best_file_is_last():
    data = b"".join(b"line %03d\n" % n for n in range(100))
    parts = [found("b", 90, 98, data), found("a", 18, 26, data), found("b", 0, 8, data)]
    chosen = choose(fuse({"x": parts}, {}), spot("own.py", "¦"), 4096)
    assert [(s.path, s.text) for s in chosen.snippets] == [
        ("a", b"line 002\n"), ("b", b"line 000\nline 010\n"),
    ]  # fmt: skip
    assert chosen.snippets[1].relevance == 1.0
    assert chosen.snippets[0].relevance < 1.0


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 90), st.integers(1, 30))),
    st.integers(0, 2000),
)
def test_the_budget_is_never_passed_and_no_line_is_sent_twice(parts, most):
    data = b"".join(b"line %03d\n" % n for n in range(120))
    ranked = [
        Ranked(
            found=found(path, 9 * first, 9 * (first + count) - 1, data),
            score=1 / (n + 1), sources=("x",),
        )
        for n, (path, first, count) in enumerate(parts)
    ]  # fmt: skip
    chosen = choose(ranked, spot("own.py", "¦"), most)
    assert sum(len(s.text) for s in chosen.snippets) <= most
    for snippet in chosen.snippets:
        lines = snippet.text.splitlines()
        assert len(lines) == len(set(lines))
        assert all(len(line) == 8 for line in lines)
        assert len(snippet.text) <= max(PER_FILE, 9 * 30)
    assert len({s.path for s in chosen.snippets}) == len(chosen.snippets)


def test_pieces_that_overlap_are_shown_once():
    assert joined([Piece(0, 10), Piece(5, 20), Piece(6, 9)]) == [Piece(0, 10), Piece(11, 20)]


def test_the_nearest_cells_fit_in_the_notebooks_share():
    cells = [pb.Snippet(path=f"n#{n}", text=b"x" * 100, relevance=n / 10) for n in range(5)]
    kept, left = fitting_cells(cells, 500)
    assert [cell.path for cell in kept] == ["n#3", "n#4"]
    assert [one.reason for one in left] == ["budget"] * 3


def snippets(*paths: str) -> tuple[pb.Snippet, ...]:
    return tuple(pb.Snippet(path=path, text=path.encode()) for path in paths)


def sent(steps: Steps, line: int, now: float) -> str:
    return "".join(one.path for one in steps.take(line, now))


def test_what_was_sent_stays_while_a_line_is_typed():
    steps = Steps()
    assert sent(steps, 3, 0.0) == ""
    steps.offer(snippets("a", "b"))
    assert sent(steps, 3, 0.1) == "ab"
    steps.offer(snippets("c", "b"))
    for key in range(50):
        assert sent(steps, 3, 1.0 + key) == "ab"
    assert sent(steps, 4, 60.0) == "bc"  # what stays keeps its place, what is new comes last


def test_steps_are_no_more_often_than_so_many_seconds_unless_somewhere_else():
    steps = Steps()
    steps.offer(snippets("a"))
    assert sent(steps, 0, 10.0) == "a"
    steps.offer(snippets("b"))
    assert sent(steps, 1, 10.0 + LEAST_S / 2) == "a"
    assert sent(steps, FAR, 10.0 + LEAST_S / 2) == "b"
    assert steps.made == 2


def test_the_same_snippets_in_another_order_are_no_step():
    steps = Steps()
    steps.offer(snippets("a", "b"))
    sent(steps, 0, 0.0)
    steps.offer(snippets("b", "a"))
    assert sent(steps, 90, 90.0) == "ab"
    assert steps.made == 1


def test_a_set_made_before_all_was_known_is_mended_on_the_same_line_once():
    steps = Steps()
    steps.offer(snippets("a"), provisional=True)
    assert sent(steps, 0, 0.0) == "a"
    steps.offer(snippets("b"), provisional=True)
    assert sent(steps, 0, 2 * LEAST_S) == "a"
    steps.offer(snippets("c"))
    assert sent(steps, 0, 2 * LEAST_S) == "c"
    steps.offer(snippets("d"))
    assert sent(steps, 0, 9 * LEAST_S) == "c"


def test_no_step_is_made_for_what_is_hardly_relevant():
    steps = Steps()
    ranked = tuple(
        pb.Snippet(path=path, text=path.encode(), relevance=rank / 10)
        for rank, path in enumerate("abcdef")
    )
    steps.offer(ranked[1:])
    assert sent(steps, 0, 0.0) == "bcdef"
    steps.offer((ranked[0], *ranked[3:]))
    assert sent(steps, 90, 90.0) == "bcdef"
    assert steps.made == 1


def test_words_are_parts_of_names():
    assert words(b"readUserName(HTTPServer, user_id)") == {
        b"read", b"user", b"name", b"http", b"server",
    }  # fmt: skip
    assert alike(frozenset(), frozenset()) == 0.0
