"""HumanEval-Infilling on hand-made items in the published format, run in the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.execution.pool import run_programs
from eval.item import Answer, Item
from eval.suites import suite_named
from eval.suites.base import Scores, Suite

DATA = Path(__file__).parents[1] / "data" / "humaneval_infilling"
NAMES = ("single-line", "multi-line", "random-span", "random-span-light")


def suite_of(name: str) -> Suite:
    return suite_named(f"humaneval-infilling:{name}")


def items_of(suite: Suite) -> list[Item]:
    return suite.load(DATA / f"{suite.name.partition(':')[2]}.jsonl").items


async def scored(suite: Suite, answers: list[list[Answer]]) -> list[Scores]:
    items = items_of(suite)
    pairs = list(zip(items, answers, strict=True))
    outcomes = await run_programs(
        program for item, samples in pairs for program in suite.programs(item, samples)
    )
    return [suite.judge(item, samples, outcomes) for item, samples in pairs]


@pytest.mark.parametrize("name", NAMES)
async def test_the_reference_has_all_points_and_no_answer_none(name: str) -> None:
    suite = suite_of(name)
    items = items_of(suite)
    right = [[Answer(raw=item.reference, cut=item.reference, raw_end="model")] for item in items]
    for scores in await scored(suite, right):
        assert scores == {
            **dict.fromkeys(("pass@1", "exact_match", "edit_similarity", "ended_by_model"), 1.0),
            **dict.fromkeys(("pass@1_cut", "exact_match_cut", "edit_similarity_cut"), 1.0),
            **dict.fromkeys(("ended_rightly", "ended_rightly_cut"), 1.0),
            **dict.fromkeys(("lines_right", "lines_right_cut"), 1.0),
            "repeats_suffix": 0.0,
            "repeats_suffix_cut": 0.0,
        }
    for scores in await scored(suite, [[Answer()] for _ in items]):
        assert set(scores.values()) == {0.0}


async def test_no_answer_is_not_run_and_an_empty_one_is() -> None:
    suite = suite_of("single-line")
    item = items_of(suite)[0]
    assert suite.programs(item, [Answer()]) == []
    assert len(suite.programs(item, [Answer(raw=b"", cut=b"")])) == 2


async def test_raw_is_run_whole_and_cut_is_run_cut() -> None:
    suite = suite_of("single-line")
    items = items_of(suite)
    chatty = [
        [Answer(raw=item.reference + b"    return 17\n", cut=item.reference)] for item in items[:2]
    ]
    for scores in await scored(suite, [*chatty, [Answer()]]):
        assert scores["pass@1"] == 0.0
    assert [s["pass@1_cut"] for s in await scored(suite, [*chatty, [Answer()]])] == [1.0, 1.0, 0.0]


async def test_a_cut_text_takes_the_place_of_the_suffix_it_says() -> None:
    suite = suite_of("random-span")
    item = items_of(suite)[0]
    brings = item.suffix[:6]
    assert brings == b"esult "
    answer = Answer(raw=item.reference + brings, cut=item.reference + brings, replace_after=6)
    scores = (await scored(suite, [[answer]]))[0]
    assert scores["pass@1"] == 0.0
    assert scores["pass@1_cut"] == 1.0
    assert scores["exact_match_cut"] == 1.0
    assert scores["repeats_suffix_cut"] == 0.0
    wrong = Answer(raw=b"", cut=item.reference + b"other ", replace_after=6)
    assert (await scored(suite, [[wrong]]))[0]["exact_match_cut"] == 0.0


async def test_pass_at_k_is_over_the_samples() -> None:
    suite = suite_of("multi-line")
    item = items_of(suite)[0]
    samples = [Answer(raw=item.reference, cut=None)] * 3 + [Answer(raw=b"    pass\n")] * 7
    scores = (await scored(suite, [samples]))[0]
    assert scores["pass@1"] == pytest.approx(0.3)
    assert scores["pass@10"] == 1.0
    assert scores["pass@1_cut"] == 0.0
    assert "pass@100" not in scores


async def test_text_that_is_no_utf8_fails() -> None:
    suite = suite_of("multi-line")
    scores = (await scored(suite, [[Answer(raw=b"    return '\xe2\x82", cut=b"\xff")]]))[0]
    assert scores["pass@1"] == scores["pass@1_cut"] == 0.0


@pytest.mark.parametrize("key", ["task_id", "entry_point", "prompt", "suffix", "test"])
def test_a_row_without_a_field_is_a_usage_error(key: str, tmp_path: Path) -> None:
    rows = (DATA / "single-line.jsonl").read_text().splitlines()
    broken = json.loads(rows[1])
    del broken[key]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join([rows[0], json.dumps(broken), rows[2]]))
    with pytest.raises(UsageError, match=key):
        suite_of("single-line").load(path)


def test_each_is_asked_as_its_span_is() -> None:
    asks = [suite_of(name).ask(items_of(suite_of(name))[0]) for name in NAMES]
    assert [ask.lines for ask in asks] == ["single", "multi", "multi", "multi"]
    assert [ask.max_tokens for ask in asks] == [96, 256, 256, 256]


async def test_pass_at_the_number_of_samples_is_reported_too() -> None:
    suite = suite_of("multi-line")
    item = items_of(suite)[0]
    samples = [Answer(raw=item.reference)] + [Answer(raw=b"    pass\n")] * 2
    scores = (await scored(suite, [samples]))[0]
    passes = {name: value for name, value in scores.items() if name.startswith("pass@")}
    assert passes == {
        "pass@1": pytest.approx(1 / 3), "pass@3": 1.0, "pass@1_cut": 0.0, "pass@3_cut": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("asked", NAMES)
@pytest.mark.parametrize("there", NAMES)
def test_the_file_of_another_suite_is_refused(asked: str, there: str) -> None:
    path = DATA / f"{there}.jsonl"
    if asked == there:
        assert suite_of(asked).load(path).items
        return
    with pytest.raises(UsageError, match=rf"is an item of humaneval-infilling:{there}, not of"):
        suite_of(asked).load(path)


def test_an_id_that_names_no_suite_is_taken(tmp_path: Path) -> None:
    row = json.loads((DATA / "single-line.jsonl").read_text().splitlines()[0])
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row | {"task_id": "Mine/1"}))
    assert [item.id for item in suite_of("multi-line").load(path).items] == ["Mine/1"]


@pytest.mark.parametrize(
    "key", ["task_id", "entry_point", "prompt", "suffix", "canonical_solution", "test"]
)
def test_half_a_surrogate_pair_is_a_usage_error(key: str, tmp_path: Path) -> None:
    rows = (DATA / "single-line.jsonl").read_text().splitlines()
    path = tmp_path / "own.jsonl"
    path.write_text(f"{rows[0]}\n{json.dumps(json.loads(rows[1]) | {key: chr(0xD800)})}\n")
    with pytest.raises(UsageError, match=rf"own\.jsonl, line 2: the field '{key}' has half"):
        suite_of("single-line").load(path)
