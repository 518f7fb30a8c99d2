"""What `caret explain` shows: every part, within the terminal's width."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from completion.commands import explain
from completion.commands.context import Context
from completion.commands.explain import _language
from completion.commands.explain_view import Explanation, show
from completion.syntax.languages import language_for
from completion.wire import completion_pb2 as pb
from lsp.context.budget import Left, Note
from lsp.context.collect import Gathered

LONG = "a/very/long/path/of/many/folders/that/is/wider/than/a/column/of/any/table/store.py"


def note(path: str, why: str) -> Note:
    return Note(
        path=path, kind="definition", relevance=0.5, size=9, sources=("imports",), why=(why,)
    )


GATHERED = Gathered(
    notes=(note(LONG, "defines " + ", ".join(f"name_{n}" for n in range(30))), note("b.py", "imported B")),
    left=(Left(path="c.py", reason="ignored"), Left(path="d.py", reason="budget", why="defines d")),
    milliseconds={"imports": 12.0},
    failed={"definitions": "late"},
)  # fmt: skip
ANSWER = pb.ExplainResponse(
    prompt=b"<|sep|>b.py\nB\n<|mid|>x = ",
    parts=[
        pb.PromptPart(kind="special", text=b"<|sep|>", tokens=1),
        pb.PromptPart(kind="snippet", text=b"b.py\nB [bold]\n", tokens=7),
        pb.PromptPart(kind="special", text=b"<|mid|>", tokens=1),
        pb.PromptPart(kind="prefix", text=b"x = \xff", tokens=3),
    ],
    used=[pb.Snippet(path="b.py", text=b"B\n")],
    dropped=[pb.Dropped(path=LONG, reason="budget")],
    response=pb.CompleteResponse(
        candidates=[pb.Candidate(text=b"1", stop_reason=pb.STOP_REASON_SYNTAX, tokens=1)],
        model="small",
    ),
)


def shown(width: int, context: Context, answer: pb.ExplainResponse = ANSWER) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, force_terminal=False)
    explanation = Explanation(
        place="a.py:1:5", language="python: the grammar of python is not installed",
        context=context, answer=answer,
    )  # fmt: skip
    show(explanation, console)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 110, 200])
def test_everything_is_said_within_the_width(width):
    text = shown(width, Context(root=Path("/w"), gathered=GATHERED))
    assert all(len(line) <= width for line in text.splitlines())
    flat = "".join(text.split())
    for said in (
        "b.py", "leftout:budget", "ignored", "definesd", "name_29", "importedB",
        "imports12", "definitions:late", "snippet,7tokens", "prefix,3tokens", "B[bold]",
        "endedby:syntax.1token,", "0bytesafterthecursor", "hadnoroomforit", "overcontext.max_bytes",
        "isnotinstalled", "7ofotherfiles", "a.py:1:5",
    ):  # fmt: skip
        assert said in flat, said


def test_why_there_is_no_context_is_said():
    assert "nothing of other files: --no-context" in shown(80, Context(off="--no-context"))


def test_an_answer_of_an_older_server_is_shown_as_it_is():
    older = pb.ExplainResponse(prompt=b"<|sep|>text")
    text = shown(80, Context(root=Path("/w"), gathered=Gathered()), older)
    assert "<|sep|>text" in text
    assert "nothing was found that helps here" in text


def test_secrets_that_were_masked_are_counted():
    assert "20 bytes of the file are sent as filler" in shown(80, Context(off="x", masked=20))


@pytest.mark.parametrize("width", [110, 120, 140])
def test_no_cell_of_the_table_is_cut_off(width):
    wide = Note(
        path="eval/metrics/chars_saved.py", kind="definition", relevance=0.5, size=9,
        sources=("definitions", "sibling_cells"), why=("may define a, b; imported c",),
    )  # fmt: skip
    lines = shown(width, Context(root=Path("/w"), gathered=Gathered(notes=(wide,)))).splitlines()
    assert any("eval/metrics/chars_saved.py " in line for line in lines), "in one line"
    assert any(line.rstrip().endswith("definitions") for line in lines)
    assert any(line.rstrip().endswith("sibling_cells") for line in lines)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a.py", "python"),
        ("a.purs", "no rules for this language: served as plain text"),
        ("notes/n.ipynb", "a notebook, taken as the JSON"),
    ],
)
def test_the_language_or_why_there_is_none_is_said(path, said):
    assert _language(path).startswith(said)


def test_a_grammar_that_is_missing_is_said_with_how_to_get_it(monkeypatch):
    go = language_for("", "a.go")
    gone = replace(go, grammar="tree_sitter_gone:language")
    monkeypatch.setattr(explain, "language_for", lambda *_: gone)
    assert _language("a.go") == (
        "go: the grammar of go is not installed: pip install tree-sitter-gone"
    )
