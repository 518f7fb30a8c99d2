"""`caret bench workspace`: a small generated workspace, really held, mixed in and edited."""

from __future__ import annotations

import json

import pytest

from completion.cli import main
from completion.engine.checkpoint import load_checkpoint
from eval.bench.generated import module, path_of
from eval.bench.workspace_store import LINES, Texts, _edit, _long, in_core

FILES = {path_of(number): module(number, 30).encode() for number in range(30)}


@pytest.fixture(scope="module")
def encoder():
    return load_checkpoint("bundled").encoder


def test_files_are_taken_until_there_are_tokens_enough(encoder):
    whole = Texts.of(FILES, encoder, 1_000_000)
    assert list(whole.files) == list(FILES)
    some = Texts.of(FILES, encoder, whole.count // 2)
    assert whole.count // 2 <= some.count < whole.count
    assert list(some.files) == list(FILES)[: len(some.files)]


def test_the_store_alone_is_measured_for_a_million_tokens(encoder):
    texts = Texts.of(FILES, encoder, 1_000_000)
    time, memory = in_core(texts, len(encoder.vocabulary.token_bytes))
    assert "a million tokens" in time.name
    assert time.ratio > 0
    # two bytes a token and four of the index are the least that there can be
    assert 6 < memory.ratio < 60


def test_the_file_that_is_edited_has_the_lines_of_the_bar_however_few_there_are():
    import random

    text = _long({"a.py": "größe = 3\nx = 1\n".encode()})
    assert text.count(b"\n") == LINES
    rng = random.Random(0)
    for _ in range(200):
        edit = _edit(text, rng)
        (text[: edit.start] + edit.text + text[edit.end :]).decode()


@pytest.mark.engine
def test_a_small_workspace_is_measured(capsys):
    status = main(["bench", "workspace", "--generated-files", "30", "--rounds", "1", "--json", "-"])
    out, err = capsys.readouterr()
    assert out, err
    rows = {row["name"]: row for row in json.loads(out)["rows"]}
    assert status == (0 if all(row["holds"] for row in rows.values()) else 1)
    assert all(row["ratio"] > 0 for row in rows.values())
    steps = "a decoding step, workspace over none, {} at a time"
    assert rows[steps.format(1)]["bar"] == rows[steps.format(16)]["bar"] == 1.05
    encoding, call, both = (
        rows[f"an edit in 5,000 lines, {what}, p50, ms"]["ratio"]
        for what in ("encoding", "the engine core's call", "encoding and call")
    )
    assert max(encoding, call) <= both


def test_a_workspace_that_is_not_there_is_said(capsys):
    assert main(["bench", "workspace", "--workspace", "/none/here"]) == 2
    assert "no such folder" in capsys.readouterr().err
