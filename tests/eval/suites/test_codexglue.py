from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.errors import UsageError
from eval.data.published import data_set_of
from eval.engines.dummies import Half
from eval.item import Answer
from eval.suites import codexglue, suite_named
from eval.suites.codexglue import positions
from eval.suites.codexglue_text import first_token, text_of
from tests.eval.suites.dummy_scores import HAND_MADE, figures, holds_for_dummies, said

LINES = HAND_MADE / "codexglue" / "line_handmade.json"
TOKENS = HAND_MADE / "codexglue" / "token_handmade.txt"
LINE, TOKEN = suite_named("codexglue-line"), suite_named("codexglue-token")


async def test_the_oracle_has_all_and_silence_nothing() -> None:
    metrics = ("exact_match", "edit_similarity", "exact_match_unspaced")
    await holds_for_dummies("codexglue-line", LINES, metrics)
    await holds_for_dummies("codexglue-token", TOKENS, ("token_accuracy",))
    await holds_for_dummies("codexglue-token", TOKENS.with_suffix(".jsonl"), ("token_accuracy",))


async def test_half_of_each_scores_what_was_worked_out_by_hand() -> None:
    found = await figures("codexglue-line", LINES, Half)
    # 11 of 23 characters, 12 of 24 and 5 of 11.
    assert found["edit_similarity"] == pytest.approx((22 / 34 + 24 / 36 + 10 / 16) / 3)
    assert found["exact_match"] == 0.0
    # No token is the first half of itself.
    assert (await figures("codexglue-token", TOKENS, Half))["token_accuracy"] == 0.0


def test_tokens_become_lines_with_plain_literals() -> None:
    tokens = "<s> x = <NUM_LIT:2> <EOL> y = u'<STR_LIT:a>' + \"<STR_LIT>\" + <NUM_LIT> </s> <pad>"
    assert text_of(tokens.split()) == "x = 2\ny = u'a' + \"\" + 0"
    assert text_of(['"<STR_LIT:U+002CU+0020>"']) == '", "'
    assert text_of(["<s>"]) == ""
    assert text_of(["<EOL>", "a", "<EOL>", "<EOL>", "b"]) == "\na\n\nb"


def test_the_cursor_stands_where_the_next_token_begins() -> None:
    at_line_start, in_line, behind_colon = LINE.load(LINES).items
    assert at_line_start.prefix.endswith(b"class Quit ( object ) :\n")
    assert in_line.prefix.endswith(b'print ( ", " . join ( ')
    assert behind_colon.prefix == b"x = 0\nif x == 1 : "
    assert in_line.reference == b'[ "" , "a" , 1 , 0 ] ) )'


def test_a_line_is_compared_as_the_published_evaluator_does() -> None:
    right = "def __init__ ( self ) :"
    with_more = said(LINE, LINES, right + "\n    pass")
    assert (with_more["exact_match"], with_more["exact_match_cut"]) == (1.0, 0.0)
    assert said(LINE, LINES, f"   def   __init__ {right[13:]}  ")["exact_match"] == 1.0
    spaced_as_people_do = said(LINE, LINES, "def __init__(self):")
    assert spaced_as_people_do["exact_match"] == 0.0
    assert spaced_as_people_do["exact_match_unspaced"] == 1.0
    # All of its 19 characters are among the 23.
    assert spaced_as_people_do["edit_similarity"] == pytest.approx(2 * 19 / 42)
    assert said(LINE, LINES, "\n" + right)["exact_match"] == 0.0


@pytest.mark.parametrize("name", ["input", "gt"])
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.json"
    row = {"input": "<s> x", "gt": "= 1"}
    path.write_text(json.dumps({key: text for key, text in row.items() if key != name}))
    with pytest.raises(UsageError, match=rf"own\.json, line 1: no field '{name}'"):
        LINE.load(path)


def test_a_file_without_answers_says_where_there_are_some(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"input": "<s> x", "gt": " "}))
    with pytest.raises(UsageError, match=r"has no answers.*train-00000-of-00001\.parquet"):
        LINE.load(path)


def test_a_blank_answer_among_others_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    rows = [{"input": "<s> x", "gt": gt} for gt in ("", "= 1", " ")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = LINE.load(path)
    assert [item.id for item in loaded.items] == ["py150/1"]
    assert "left out, because 'gt' is blank: 2 items" in loaded.warnings


def test_the_hub_calls_the_published_test_set_train() -> None:
    (file,) = known.of("codexglue-line") if (known := data_set_of("codexglue-line")) else ()
    assert file.bears("train-00000-of-00001.parquet")
    assert not file.bears("test-00000-of-00001.parquet")
    assert file.rows == 10_000


def test_what_has_no_text_is_not_scored_and_silence_is_never_right(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("<s> <STR_LIT> x </s>\n")
    lost, name = TOKEN.load(path).items
    assert (lost.reference, name.reference) == (b"", b"x")
    for answer in (Answer(), Answer(raw=b"", cut=b""), Answer(raw=b"\n")):
        assert TOKEN.judge(lost, [answer], {}) == {}
        assert TOKEN.judge(name, [answer], {})["token_accuracy"] == (0.0, 1.0)


def test_the_published_name_must_have_all_items(tmp_path: Path) -> None:
    (tmp_path / "line_completion").mkdir()
    path = tmp_path / "line_completion" / "test.json"
    path.write_bytes(LINES.read_bytes())
    for given_ in (path, tmp_path):
        with pytest.raises(UsageError, match="holds 3 items and the published file 10000"):
            LINE.load(given_)


def test_every_token_but_the_marks_is_asked_for_with_the_true_text_before_it() -> None:
    loaded = TOKEN.load(TOKENS)
    assert loaded.data["tokens"] == loaded.data["sampled"] == len(loaded.items) == 34
    asked = {item.id: item for item in loaded.items}
    assert "py150/0/3" not in asked  # <EOL>
    assert asked["py150/0/1"].prefix == b""
    assert (asked["py150/0/4"].prefix, asked["py150/0/4"].reference) == (b"import json\n", b"json")
    load = asked["py150/0/6"]
    assert (load.prefix, load.reference) == (b"import json\njson . ", b"load")
    assert {item.reference for item in loaded.items} >= {b'", "', b"u''", b"1", b"=="}


def test_a_table_of_tokens_gives_the_same_items_as_lines() -> None:
    table = TOKEN.load(TOKENS.with_suffix(".jsonl")).items
    assert table == TOKEN.load(TOKENS).items[: len(table)]


@pytest.mark.parametrize(
    ("said_", "right"),
    [("load", 1), (" load ( f )", 1), ("load(f)", 1), ("loads", 0), ("\nload", 0), ("", 0)],
)
def test_the_first_token_of_the_answer_counts(said_: str, right: int) -> None:
    (item,) = (item for item in TOKEN.load(TOKENS).items if item.reference == b"load")
    found = TOKEN.judge(item, [Answer(raw=said_.encode(), cut=None)], {})
    assert found == {"token_accuracy": (float(right), 1.0), "token_accuracy_cut": (0.0, 1.0)}


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("a.b", "a"),
        ("naïve_1 =", "naïve_1"),
        ("== 1", "=="),
        ("= 1", "="),
        ("**=2", "**="),
        ("...", "..."),
        ("<>x", "<>"),
        ("10.5e-3j+1", "10.5e-3j"),
        ("0xFFL", "0xFFL"),
        (".5)", ".5"),
        (".join", "."),
        ("u'a b' + c", "u'a b'"),
        ('rb"a\\"b" c', 'rb"a\\"b"'),
        ('"""a\nb""" c', '"""a\nb"""'),
        ('"" )', '""'),
        ("'open", "'"),
        ("\t (x", "("),
        ("\n", ""),
        ("if x", "if"),
        ("😀", "😀"),
    ],
)
def test_a_token_is_the_longest_that_it_can_be(text: str, token: str) -> None:
    assert first_token(text) == token


def test_a_file_cut_off_is_an_error_of_the_call(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text(TOKENS.read_text()[:-40])
    with pytest.raises(UsageError, match=r"own\.txt, line 2: .*cut off"):
        TOKEN.load(path)


def test_files_of_marks_alone_are_an_error_of_the_call(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("<s> </s>\n<s> <EOL> </s>\n")
    with pytest.raises(UsageError, match="no token to ask for"):
        TOKEN.load(path)


@given(st.integers(0, 5000), st.integers(1, 300))
def test_positions_are_spread_over_everything(total: int, wanted: int) -> None:
    found = list(positions(total, wanted))
    assert found == sorted(set(found))
    assert len(found) == min(total, wanted)
    if total > wanted:
        for stretch, at in enumerate(found):
            assert stretch * total // wanted <= at < (stretch + 1) * total // wanted


def test_a_sample_is_the_same_in_every_run_and_reaches_the_last_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.txt"
    path.write_text("".join(f"<s> {'x ' * (i % 7)}<EOL> y{i} </s>\n" for i in range(200)))
    everything = {item.id: item for item in TOKEN.load(path).items}
    monkeypatch.setattr(codexglue, "SAMPLE", 50)
    loaded = TOKEN.load(path)
    assert loaded.data["sampled"] == len(loaded.items) == 50
    assert loaded.data["tokens"] == len(everything)
    assert [item.id for item in loaded.items] == [item.id for item in TOKEN.load(path).items]
    assert all(everything[item.id] == item for item in loaded.items)
    assert int(loaded.items[-1].id.split("/")[1]) >= 190
