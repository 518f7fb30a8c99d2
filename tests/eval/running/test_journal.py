"""What a journal keeps, and what it refuses to go on with."""

import json
import os
import stat
import time

import pytest

from completion.errors import UsageError
from eval.execution.program import Case, Outcome, Program, Verdict
from eval.item import Answer, Timings
from eval.running import codec
from eval.running.fingerprint import differences
from eval.running.journal import KEPT_DAYS, cached_path, open_journal

PRINT = {"suite": "s", "option": {"limit": 5, "flags": []}, "model": {"name": "m"}}
FULL = Answer(
    raw=b"\xff\x80a", cut=b"", replace_after=1, raw_end="model", cut_end="syntax",
    ranked=(b"a", b"\xc3"), log_prob=0.0, timings=Timings(queue_ms=0.1, prompt_tokens=7),
    data={"keys": [1, "two"]},
)  # fmt: skip
PROGRAM = Program(language="python", source="print()", cases=(Case(stdin="", outputs=("1", "2")),))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.json.partial"


def test_answers_and_outcomes_come_back_as_they_were(path):
    journal = open_journal(path, PRINT)
    outcome = Outcome(verdict=Verdict.TIME, detail="out of time", seconds=1.25)
    journal.answered("", "a", [FULL, Answer(declined="filtered:blank")])
    journal.answered("ngram", "a", [Answer(raw=b"")])
    journal.ran(PROGRAM, outcome)
    journal.close()
    again = open_journal(path, PRINT)
    assert again.answers["", "a"] == [FULL, Answer(declined="filtered:blank")]
    assert again.answers["ngram", "a"] == [Answer(raw=b"")]
    assert again.outcomes == {codec.program_key(PROGRAM): outcome}
    assert again.started == journal.started


@pytest.mark.parametrize("answer", [Answer(), Answer(raw=b""), Answer(cut=b"", raw=None), FULL])
def test_no_answer_and_an_empty_one_stay_apart(answer):
    table = json.loads(json.dumps(codec.answer_to_json(answer)))
    assert codec.answer_from_json(table) == answer


def test_programs_that_differ_in_anything_have_keys_of_their_own():
    others = [
        Program(language="python", source="print()"),
        Program(language="python", source="print()", cases=PROGRAM.cases, seconds=1),
        Program(language="java", source="print()", cases=PROGRAM.cases),
    ]
    assert len({codec.program_key(program) for program in [PROGRAM, *others]}) == 4


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_line_cut_off_anywhere_is_dropped_and_the_others_stay(path, cut):
    journal = open_journal(path, PRINT)
    journal.answered("", "a", [FULL])
    journal.answered("", "b", [FULL])
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    again = open_journal(path, PRINT)
    assert [item for _, item in again.answers] == ["a"]
    again.answered("", "c", [FULL])
    again.close()
    assert [item for _, item in open_journal(path, PRINT).answers] == ["a", "c"]


def test_one_that_was_killed_in_its_first_line_begins_anew(path):
    open_journal(path, PRINT).close()
    path.write_bytes(path.read_bytes()[:20])
    assert open_journal(path, PRINT).answers == {}


def test_another_run_is_refused_with_what_differs(path):
    open_journal(path, PRINT).close()
    other = PRINT | {"option": {"limit": 6, "flags": []}, "model": {"name": "n"}}
    with pytest.raises(UsageError) as caught:
        open_journal(path, other)
    assert "option limit 5 there and 6 here" in caught.value.message
    assert "model name m there and n here" in caught.value.message
    assert "--fresh" in caught.value.message
    open_journal(path, other, fresh=True).close()
    open_journal(path, other).close()


@pytest.mark.parametrize(
    "text", ["{}\n", "no json\n", '{"journal": 1}\n', '{"journal": 99}\n', "[]\n"]
)
def test_a_file_that_is_no_journal_is_not_written_over(path, text):
    path.write_text(text)
    with pytest.raises(UsageError, match="--fresh"):
        open_journal(path, PRINT)
    assert path.read_text() == text


def test_a_damaged_line_in_the_middle_is_said(path):
    journal = open_journal(path, PRINT)
    journal.answered("", "a", [FULL])
    journal.close()
    path.write_text(path.read_text().replace('"answers"', '"anwsers"'))
    with pytest.raises(UsageError, match="damaged"):
        open_journal(path, PRINT)


def test_two_runs_cannot_write_one(path):
    journal = open_journal(path, PRINT)
    with pytest.raises(UsageError, match="another run"):
        open_journal(path, PRINT)
    journal.close()
    open_journal(path, PRINT).close()


def test_nobody_else_can_read_it(path):
    open_journal(path, PRINT).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_one_line():
    from pathlib import Path

    with pytest.raises(UsageError, match="cannot be written"):
        open_journal(Path("/proc/none/x.partial"), PRINT)


def test_the_time_of_all_sessions_is_counted(path):
    journal = open_journal(path, PRINT)
    lines = [
        json.loads(path.read_text().splitlines()[0]),
        {"session": "t", "at": 0.0},
        {"by": "", "item": "a", "answers": [], "at": 5.0},
        {"session": "t", "at": 0.0},
        {"by": "", "item": "b", "answers": [], "at": 2.5},
    ]
    journal.close()
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert 7.5 <= open_journal(path, PRINT).seconds < 60


def test_in_the_cache_each_run_has_its_own_and_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = cached_path(PRINT), cached_path(PRINT | {"suite": "a:b"})
    assert first != second
    assert first == cached_path(dict(reversed(PRINT.items())))
    assert second.parent == tmp_path / "caret" / "eval"
    first.touch()
    second.touch()
    long_ago = time.time() - (KEPT_DAYS + 1) * 86400
    os.utime(first, (long_ago, long_ago))
    cached_path(PRINT)
    assert not first.exists()
    assert second.exists()


def test_that_items_differ_is_only_said_alone():
    assert differences({"items": 1, "seed": 1}, {"items": 2, "seed": 2}) == [
        "seed 1 there and 2 here"
    ]
    assert differences({"items": 1}, {"items": 2}) == ["items 1 there and 2 here"]
