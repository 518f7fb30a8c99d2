"""SAFIM on hand-made items in the published format, run in the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.execution.languages import tool_chain
from eval.execution.pool import run_programs
from eval.item import Answer, Item
from eval.suites import suite_named
from eval.suites.base import Scores
from eval.suites.safim import control_expression, first_call, syntax_match

DATA = Path(__file__).parents[1] / "data" / "safim"
FILES = {name: DATA / f"{name}.jsonl" for name in ("block", "control", "api")}


def items_of(name: str) -> dict[str, Item]:
    return {item.language: item for item in suite_named(f"safim:{name}").load(FILES[name]).items}


async def scored(name: str, answers: dict[str, Answer]) -> dict[str, Scores]:
    suite, items = suite_named(f"safim:{name}"), items_of(name)
    outcomes = await run_programs(
        program
        for language, answer in answers.items()
        for program in suite.programs(items[language], [answer])
    )
    return {
        language: suite.judge(items[language], [answer], outcomes)
        for language, answer in answers.items()
    }


def runnable(languages: dict[str, Item]) -> set[str]:
    return {language for language in languages if tool_chain(language)}


@pytest.mark.parametrize("name", ["block", "control"])
async def test_the_reference_passes_and_no_answer_fails(name: str) -> None:
    items = items_of(name)
    right = {
        language: Answer(raw=item.reference, cut=item.reference) for language, item in items.items()
    }
    scores = await scored(name, right)
    for language in runnable(items):
        assert scores[language]["pass@1"] == scores[language]["pass@1_cut"] == 1.0
    for scores_of in (await scored(name, dict.fromkeys(items, Answer()))).values():
        assert set(scores_of.values()) == {0.0}


async def test_a_wrong_block_fails_and_another_right_one_passes() -> None:
    wrong = {
        "python": b"a, b = map(int, input().split())\n    print(a - b)",
        "cpp": b"cin >> a >> b; cout << a - b << endl;",
        "java": b"System.out.println(sc.nextInt() - sc.nextInt());",
    }
    other = {
        "python": b"print(sum(map(int, input().split())))",
        "cpp": b"cin >> a >> b; cout << b + a << '\\n';",
        "java": b"int a = sc.nextInt(); System.out.println(a + sc.nextInt());",
    }
    scores = await scored("block", {x: Answer(raw=wrong[x], cut=other[x]) for x in wrong})
    for language in runnable(items_of("block")) & wrong.keys():
        assert scores[language]["pass@1"] == 0.0
        assert scores[language]["pass@1_cut"] == 1.0


async def test_what_has_no_tool_chain_is_left_out() -> None:
    item = items_of("block")["csharp"]
    scores = (await scored("block", {"csharp": Answer(raw=item.reference, cut=b"x")}))["csharp"]
    assert "pass@1" not in scores
    assert scores["exact_match"] == 1.0


async def test_control_expressions_are_cut_as_published_too() -> None:
    answer = Answer(raw=b"_ in range(t):\n    print('more')\n")
    scores = (await scored("control", {"python": answer}))["python"]
    assert scores["pass@1"] == 0.0
    assert scores["pass@1_truncated"] == 1.0


async def test_a_cut_text_that_brings_the_closing_bracket_passes() -> None:
    item = items_of("control")["cpp"]
    answer = Answer(raw=item.reference, cut=item.reference + b")", replace_after=1)
    scores = (await scored("control", {"cpp": answer}))["cpp"]
    assert scores["exact_match_cut"] == 1.0
    if tool_chain("cpp"):
        assert scores["pass@1_cut"] == 1.0


async def test_api_calls_match_by_syntax() -> None:
    items = items_of("api")
    right = {x: Answer(raw=i.reference, cut=i.reference, raw_end="model") for x, i in items.items()}
    for scores in (await scored("api", right)).values():
        assert scores["syntax_match"] == scores["syntax_match_cut"] == 1.0
    for scores in (await scored("api", dict.fromkeys(items, Answer()))).values():
        assert set(scores.values()) == {0.0}
    longer = Answer(
        raw=b"np.ones((n, n), dtype = int)\nprint(a)", cut=b"np.ones((n,\n  n),dtype=int)"
    )
    scores = (await scored("api", {"python": longer}))["python"]
    assert scores["syntax_match"] == 0.0
    assert scores["syntax_match_cut"] == scores["syntax_match_truncated"] == 1.0
    assert scores["exact_match_cut"] == 0.0


@pytest.mark.parametrize(
    ("ours", "theirs", "language", "same"),
    [
        ("f(1, b=2, a=3)", "f(1,a=3,b=2)", "python", True),
        ("f(1, 2)", "f(2, 1)", "python", False),
        ("g(1)", "f(1)", "python", True),  # as published: the callee is not compared
        ("f(1", "f(1", "python", True),
        ("f(1", "f(1)", "python", False),
        ("f( 1 )", "f(1)", "java", True),
        ("f(a = 1, b = 2)", "f(b = 2, a = 1)", "cpp", False),
        ("x", "y", "python", False),
        ("f(\x00)", "f(1)", "python", False),
    ],
)
def test_the_published_rule_of_a_match(ours: str, theirs: str, language: str, same: bool) -> None:
    assert syntax_match(ours, theirs, language) is same


def test_the_published_truncations() -> None:
    assert control_expression("\n  i in range(n):\n    x", "python") == "  i in range(n):"
    assert control_expression("f(a) < 3) { g();", "cpp") == "f(a) < 3"
    assert control_expression("f(a) < 3", "cpp") == "f(a) < 3"
    assert first_call("f(g(1), 2).h(3)") == "f(g(1), 2)"
    assert first_call(") + 1") == ")"
    assert first_call("name") == "name"


def test_the_prompt_is_split_at_its_placeholder() -> None:
    item = items_of("block")["python"]
    assert item.prefix.startswith(b"Complete the code in python")
    assert item.prefix.endswith(b"for _ in range(t):\n    ")
    assert item.suffix == b"\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lang": "cobol"}, "cobol"),
        ({"prompt": "nothing to fill"}, "no one place"),
        ({"unit_tests": []}, "unit_tests"),
        ({"unit_tests": "[{"}, "unit_tests"),
        ({"unit_tests": [{"input": 1, "output": ["2"]}]}, "unit_tests"),
    ],
)
def test_a_wrong_row_is_a_usage_error(change: dict[str, object], says: str, tmp_path: Path) -> None:
    row = json.loads(FILES["block"].read_text().splitlines()[0])
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row | change) + "\n")
    with pytest.raises(UsageError, match=says):
        suite_named("safim:block").load(path)


def test_a_call_nested_too_deeply_is_compared_as_text() -> None:
    # The parser takes some hundred levels that writing the tree out does not.
    readable = ["f(" + "+".join("1" * n) + ")" for n in (400, 600, 800, 1000)]
    unreadable = ["f(" + "-" * 5000 + "1)", "f(" * 3000 + ")" * 3000]
    for call in readable + unreadable:
        assert syntax_match(call, call + " ", "python")
        assert not syntax_match(call, "f(1)", "python")


async def test_a_language_without_a_tool_chain_is_left_out_answered_or_not() -> None:
    item = items_of("block")["csharp"]
    for answer in (Answer(), Answer(raw=item.reference, cut=item.reference), Answer(raw=b"x")):
        scores = (await scored("block", {"csharp": answer}))["csharp"]
        assert not [name for name in scores if name.startswith("pass@")]
        assert "exact_match" in scores


HALF = chr(0xD800)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ground_truth": HALF}, "ground_truth"),
        ({"task_id": HALF}, "task_id"),
        ({"prompt": f"{HALF}# TODO: Your code here"}, "prompt"),
        ({"eval_prompt": f"{HALF}{{{{completion}}}}"}, "eval_prompt"),
        ({"unit_tests": [{"input": HALF, "output": ["2"]}]}, "unit_tests"),
        ({"unit_tests": [{"input": "1", "output": [HALF]}]}, "unit_tests"),
    ],
)
def test_half_a_surrogate_pair_is_a_usage_error(
    change: dict[str, object], name: str, tmp_path: Path
) -> None:
    row = json.loads(FILES["block"].read_text().splitlines()[0])
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row | change) + "\n")
    with pytest.raises(UsageError, match=rf"own\.jsonl, line 1: the field '{name}' has half"):
        suite_named("safim:block").load(path)


def test_an_id_says_nothing_of_the_task(tmp_path: Path) -> None:
    """All 310 items of the published API file are called block_completion_…."""
    row = json.loads(FILES["api"].read_text().splitlines()[0])
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row | {"task_id": "block_completion_000007"}) + "\n")
    assert suite_named("safim:api").load(path).items[0].id == "block_completion_000007"
