"""`caret eval compare`: what may be compared, what is said of it, how it looks."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from completion.errors import UsageError
from eval.commands import eval_compare
from eval.compare import A_BETTER, B_BETTER, NOT_SHOWN, Comparison, compare
from eval.metrics.summary import summarise
from eval.result import Baseline, Record, Result, write_result
from eval.side import read_side


def _record(item: str, scores: dict, *, prompt: str = "", **fields) -> Record:
    sha = hashlib.sha256((prompt or item).encode()).hexdigest()
    return Record(
        id=item, kind="", prompt_sha256=sha, prefix="", suffix="", reference="x", raw="x", cut="x",
        raw_end="model", cut_end="", declined="", scores=scores, **fields,
    )  # fmt: skip


def _result(scores: dict[str, dict], **fields) -> Result:
    items = [_record(item, row) for item, row in scores.items()]
    known = {
        "suite": "cardinal", "suite_version": "1", "data": {"source": "tree", "sha256": "d" * 64},
        "model": {"name": "caret-xs", "checksum": "c" * 64}, "engine": "server",
        "options": {"healing": "exact", "seed": 0}, "caret": {"version": "0.1"}, "machine": {},
        "started": "2025-01-01T00:00:00Z", "seconds": 1.0, "metrics": summarise(scores),
        "items": items,
    }  # fmt: skip
    return Result(**(known | fields))


def _bits(values: list[float], metric: str = "exact_match") -> dict[str, dict]:
    return {f"i{number:04}": {metric: value} for number, value in enumerate(values)}


def _write(folder: Path, name: str, result: Result) -> str:
    write_result(result, folder / name)
    return str(folder / name)


def _compared(folder: Path, a: Result, b: Result, *metrics: str) -> Comparison:
    sides = [
        read_side(_write(folder, name, found)) for name, found in (("a.json", a), ("b.json", b))
    ]
    return compare(*sides, metrics)


def _called(*words: str) -> int:
    parser = argparse.ArgumentParser()
    eval_compare.configure(parser)
    return eval_compare.run(parser.parse_args(words))


def test_a_clear_gain_is_said_to_be_one(tmp_path):
    a, b = _bits([0.0] * 40 + [1.0] * 160), _bits([1.0] * 30 + [0.0] * 10 + [1.0] * 160)
    row = _compared(tmp_path, _result(a), _result(b)).rows[0]
    assert row.verdict == B_BETTER
    assert (row.difference.a, row.difference.b) == (0.8, 0.95)
    assert row.test is not None
    assert (row.test.only_a, row.test.only_b) == (0, 30)


def test_mcnemar_decides_a_metric_of_0_and_1_where_a_bootstrap_would_say_more(tmp_path):
    # Five items to none: the percentile interval leaves 0 out, the exact test does not reject.
    a, b = _bits([0.0] * 205), _bits([1.0] * 5 + [0.0] * 200)
    row = _compared(tmp_path, _result(a), _result(b)).rows[0]
    assert row.difference.shown
    assert row.verdict == NOT_SHOWN


def test_fewer_repeats_are_better(tmp_path):
    a, b = _bits([1.0] * 200, "repeats_suffix"), _bits([0.0] * 200, "repeats_suffix")
    assert _compared(tmp_path, _result(a), _result(b)).rows[0].verdict == B_BETTER
    assert _compared(tmp_path, _result(b), _result(a)).rows[0].verdict == A_BETTER


def test_a_metric_that_is_no_0_or_1_goes_by_its_interval(tmp_path):
    rng = random.Random(0)
    values = [rng.random() * 0.9 for _ in range(200)]
    a = _bits(values, "edit_similarity")
    b = _bits([x + 0.05 for x in values], "edit_similarity")
    row = _compared(tmp_path, _result(a), _result(b)).rows[0]
    assert row.test is None
    assert row.verdict == B_BETTER


def test_pairs_keep_being_ratios_of_sums(tmp_path):
    a = {f"i{n}": {"chars_saved": (float(n % 3), 10.0 + n)} for n in range(200)}
    b = {f"i{n}": {"chars_saved": (float(n % 5), 10.0 + n)} for n in range(200)}
    row = _compared(tmp_path, _result(a), _result(b)).rows[0]
    whole = sum(10.0 + n for n in range(200))
    assert row.difference.a == pytest.approx(sum(n % 3 for n in range(200)) / whole)
    assert row.verdict == B_BETTER


def test_raw_stands_before_cut_and_both_are_chosen_by_one_name(tmp_path):
    scores = {f"i{n}": {"em_cut": 1.0, "es": 0.5, "em": 0.0} for n in range(3)}
    found = _compared(tmp_path, _result(scores), _result(scores))
    assert [row.metric for row in found.rows] == ["em", "em_cut", "es"]
    chosen = _compared(tmp_path, _result(scores), _result(scores), "em")
    assert [row.metric for row in chosen.rows] == ["em", "em_cut"]
    only_cut = _compared(tmp_path, _result(scores), _result(scores), "em_cut")
    assert [row.metric for row in only_cut.rows] == ["em_cut"]


def test_an_unknown_metric_is_refused_with_near_ones(tmp_path):
    scores = _bits([1.0] * 3)
    with pytest.raises(UsageError, match="did you mean exact_match"):
        _compared(tmp_path, _result(scores), _result(scores), "exact_mach")


@pytest.mark.parametrize("field", ["suite", "suite_version"])
def test_different_suites_or_versions_are_refused(tmp_path, field):
    scores = _bits([1.0] * 3)
    with pytest.raises(UsageError, match="suite"):
        _compared(tmp_path, _result(scores), replace(_result(scores), **{field: "other"}))


def test_different_data_is_refused_unless_the_items_agree(tmp_path):
    scores = _bits([1.0] * 3)
    ours = _result(scores)
    theirs = replace(ours, data={"source": "tree", "sha256": "e" * 64})
    found = _compared(tmp_path, ours, theirs)
    assert any("different data" in text for text in found.warnings)
    other = [replace(ours.items[0], prompt_sha256="0" * 64), *ours.items[1:]]
    with pytest.raises(UsageError, match="different data"):
        _compared(tmp_path, ours, replace(theirs, items=other))
    with pytest.raises(UsageError, match="different data"):
        _compared(tmp_path, ours, replace(theirs, items=[]))


def test_items_asked_differently_are_left_out_with_a_warning(tmp_path):
    ours = _result(_bits([1.0, 1.0, 0.0]))
    items = [
        replace(ours.items[0], prompt_sha256="0" * 64),
        replace(ours.items[1], reference="y"),
        ours.items[2],
    ]
    found = _compared(tmp_path, ours, replace(ours, items=items))
    assert found.shared == 1
    assert found.rows[0].difference.n == 1
    assert any(
        text.startswith("2 items of one id were asked differently") for text in found.warnings
    )


def test_items_with_and_without_other_files_are_compared_and_it_is_said(tmp_path):
    def placed(result: Result, prompts: str, source: str) -> Result:
        items = [
            replace(one, prompt_sha256=f"{prompts}{one.id}", place_sha256=f"place of {one.id}")
            for one in result.items
        ]
        return replace(result, items=items, data={"sha256": source})

    ours = placed(_result(_bits([0, 0, 1, 1])), "without ", "1" * 64)
    theirs = placed(_result(_bits([1, 1, 1, 1])), "with ", "2" * 64)
    found = _compared(tmp_path, ours, theirs)
    assert found.shared == 4
    assert found.rows[0].difference.value == 0.5
    assert any(text.startswith("4 items came with other snippets") for text in found.warnings)
    # another place, another reference, or a result of before that does not know its places
    for changes in ({"place_sha256": "x"}, {"reference": "y"}, {"place_sha256": ""}):
        other = replace(theirs, items=[replace(one, **changes) for one in theirs.items])
        with pytest.raises(UsageError, match="different data"):
            _compared(tmp_path, ours, other)


def test_only_a_part_shared_and_few_items_are_warned_of(tmp_path):
    a, b = _bits([1.0] * 300), _bits([1.0] * 150)
    warnings = _compared(tmp_path, _result(a), _result(b)).warnings
    assert any("only 150 items are compared: A has 300, B has 150" in text for text in warnings)
    assert any("150 shared items are few" in text for text in warnings)
    assert _compared(tmp_path, _result(a), _result(a)).warnings == []


def test_no_shared_items_cannot_be_compared(tmp_path):
    b = {f"other-{n}": {"exact_match": 1.0} for n in range(3)}
    with pytest.raises(UsageError, match="no items"):
        _compared(tmp_path, _result(_bits([1.0] * 3)), _result(b))


def test_a_runs_own_warnings_are_repeated_with_its_name(tmp_path):
    a = replace(_result(_bits([1.0] * 3)), warnings=["hand-made items", "dirty tree"])
    b = replace(a, warnings=["hand-made items"])
    warnings = _compared(tmp_path, a, b).warnings
    assert "A and B: hand-made items" in warnings
    assert "A: dirty tree" in warnings


def test_what_differs_is_listed_and_what_is_the_same_is_not(tmp_path):
    a = _result(_bits([1.0] * 3))
    b = replace(a, options={"healing": "off", "seed": 0, "limit": 3}, seconds=9.0)
    found = {each.name: (each.a, each.b) for each in _compared(tmp_path, a, b).differs}
    assert found == {"options.healing": ("exact", "off"), "options.limit": (None, 3)}


def test_a_baseline_in_a_result_is_a_side_of_its_own(tmp_path):
    run = _bits([1.0] * 200)
    guess = _bits([0.0] * 150 + [1.0] * 50)
    baselines = {"ngram": Baseline(metrics=summarise(guess), scores=guess)}
    path = _write(tmp_path, "a.json", _result(run, baselines=baselines))
    found = compare(read_side(path), read_side(f"{path}:ngram"))
    assert (found.rows[0].difference.a, found.rows[0].difference.b) == (1.0, 0.25)
    assert found.rows[0].verdict == A_BETTER
    assert found.b.who == "ngram, the baseline"
    assert [(each.a, each.b) for each in found.differs] == [("caret-xs", "ngram")]
    assert found.latency == {}


def test_a_baseline_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    baselines = {"ngram": Baseline(metrics={}, scores={})}
    path = _write(tmp_path, "a.json", _result(_bits([1.0]), baselines=baselines))
    with pytest.raises(UsageError, match=r"no baseline jedi in it; there is ngram"):
        read_side(f"{path}:jedi")


def test_a_colon_in_a_files_own_name_is_no_baseline(tmp_path):
    path = _write(tmp_path, "santacoder-fim:py", _result(_bits([1.0])))
    assert read_side(path).baseline == ""
    with pytest.raises(UsageError, match=r"missing\.json:ngram"):
        read_side(str(tmp_path / "missing.json:ngram"))


@pytest.mark.parametrize("score", ["1", None, [1.0], [1.0, 2.0, 3.0], float("nan"), {"a": 1}])
def test_a_score_that_is_no_number_is_one_line(tmp_path, score):
    result = _result(_bits([1.0]))
    spoiled = replace(result, items=[replace(result.items[0], scores={"exact_match": score})])
    with pytest.raises(UsageError, match="item i0000"):
        read_side(_write(tmp_path, "a.json", spoiled))


def test_scores_of_a_baseline_that_are_no_table_are_one_line(tmp_path):
    baselines = {"ngram": Baseline(metrics={}, scores={"i0000": [1.0]})}  # pyright: ignore
    path = _write(tmp_path, "a.json", _result(_bits([1.0]), baselines=baselines))
    with pytest.raises(UsageError, match=r"baselines\.ngram\.scores\.i0000 must be an object"):
        read_side(f"{path}:ngram")


def test_latency_is_of_the_shared_items_side_by_side(tmp_path):
    def timed(times: list[float]) -> Result:
        result = _result(_bits([1.0] * len(times)))
        items = [
            replace(record, timings={"total_ms": ms, "queue_ms": 0.0})
            for record, ms in zip(result.items, times, strict=True)
        ]
        return replace(result, items=items)

    found = _compared(tmp_path, timed([10.0, 20.0, 30.0, 900.0, 900.0]), timed([5.0, 6.0, 7.0]))
    assert found.latency == {"total_ms": (20.0, 6.0)}


def test_latency_is_of_every_sample_that_was_timed(tmp_path):
    def keys(times: list[float]) -> Result:
        result = _result(_bits([1.0]))
        samples = [{"timings": {"total_ms": ms}} for ms in times[1:]]
        (record,) = result.items
        timed = replace(record, timings={"total_ms": times[0]}, samples=samples)
        return replace(result, items=[timed])

    found = _compared(tmp_path, keys([900.0, 10.0, 12.0]), keys([5.0, 6.0, 700.0]))
    assert found.latency == {"total_ms": (12.0, 6.0)}


def _both(folder: Path) -> tuple[str, str]:
    rng = random.Random(2)

    def scores(shift: float) -> dict[str, dict]:
        return {
            f"i{n}": {
                "exact_match": float(rng.random() < 0.3 + shift),
                "exact_match_cut": float(rng.random() < 0.4),
                "edit_similarity": rng.random() * 0.5 + shift,
                "edit_similarity_cut": rng.random(),
                "bits_per_byte": (rng.random() * 10, 4.0),
                "identifier_exact_match_cut": float(rng.random() < 0.5),
            }
            for n in range(150)
        }

    found = []
    for name, shift in (("a.json", 0.0), ("b.json", 0.4)):
        result = _result(scores(shift))
        items = [
            replace(record, timings={"total_ms": 20.0 + 5 * shift, "prompt_tokens": 900.0})
            for record in result.items
        ]
        options = {"healing": f"exact-{shift}", "seed": 0}
        found.append(_write(folder, name, replace(result, items=items, options=options)))
    return found[0], found[1]


def test_the_table_fits_100_columns_and_says_everything(tmp_path, capsys):
    assert _called(*_both(tmp_path)) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    words = " ".join(text.split())
    for wanted in (
        "cardinal, version 1", "150 shared items", "options.healing", "exact-0.4", "McNemar",
        B_BETTER, NOT_SHOWN, "6 metrics are compared at once", "total, ms", "prompt tokens",
        "under 200",
    ):  # fmt: skip
        assert wanted in words, wanted
    rows = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert rows.index("edit_similarity") == rows.index("exact_match") + 2  # its cut row between


def test_one_metric_alone_needs_no_reminder_of_chance(tmp_path, capsys):
    _called(*_both(tmp_path), "--metric", "exact_match")
    text = capsys.readouterr().out
    assert "at once" not in text
    assert "edit_similarity" not in text


def test_json_on_standard_output_is_nothing_but_json(tmp_path, capsys):
    assert _called(*_both(tmp_path), "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["shared"] == 150
    assert found["metrics"]["exact_match"]["mcnemar"]["p"] < 0.05
    assert found["metrics"]["bits_per_byte"]["mcnemar"] is None
    assert found["metrics"]["edit_similarity"]["verdict"] == B_BETTER
    assert found["differs"] == [{"name": "options.healing", "a": "exact-0.0", "b": "exact-0.4"}]


def test_json_in_a_file_comes_with_the_table(tmp_path, capsys):
    target = tmp_path / "c.json"
    _called(*_both(tmp_path), "--json", str(target))
    assert json.loads(target.read_text())["suite"] == "cardinal"
    assert "exact_match" in capsys.readouterr().out


def test_a_comparison_that_cannot_be_written_is_a_wrong_call(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("mine")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for where in (
        file / "c.json",
        tmp_path / "nowhere" / "c.json",
        tmp_path,
        pipe,
        Path("/dev/null"),
        "",
    ):
        with pytest.raises(UsageError, match="--json") as caught:
            _called(*_both(tmp_path), "--json", str(where))
        assert "\n" not in caught.value.message
    assert capsys.readouterr().out == "", "refused before anything is compared"
    assert file.read_text() == "mine"


def test_a_comparison_never_writes_over_what_it_compares(tmp_path):
    a, b = _both(tmp_path)
    before = Path(b).read_bytes()
    with pytest.raises(UsageError, match="what is compared"):
        _called(a, b, "--json", b)
    assert Path(b).read_bytes() == before


def test_a_link_is_followed_and_stays(tmp_path):
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(target)
    _called(*_both(tmp_path), "--json", str(link))
    assert link.is_symlink()
    assert json.loads(target.read_text())["suite"] == "cardinal"


def test_names_with_brackets_are_shown_as_they_are(tmp_path, capsys):
    a = _result(_bits([1.0] * 3), model={"name": "m[red]"}, warnings=["see [bold]"])
    path = _write(tmp_path, "a[1].json", a)
    _called(path, path)
    text = capsys.readouterr().out
    assert "m[red]" in text and "see [bold]" in text and "a[1].json" in text


def test_a_difference_of_nothing_has_no_minus(tmp_path):
    a = _result(_bits([0.5, 0.25, 0.75], "es"))
    b = _result(_bits([0.25, 0.4999, 0.75], "es"))
    console = Console(width=100, record=True, quiet=True)
    eval_compare.show(_compared(tmp_path, a, b), console)
    assert "−0.0" not in console.export_text()


def test_each_part_of_a_slice_is_compared_by_itself(tmp_path, capsys):
    def sliced(right: set[int], facet: str) -> Result:
        scores = _bits([float(number in right) for number in range(40)])
        found = _result(scores)
        items = [
            replace(one, facets={facet: "new" if number < 20 else "old"})
            for number, one in enumerate(found.items)
        ]
        return replace(found, items=items)

    # B is right where A is not, in the first half alone; one side alone has the second slice
    a, b = sliced(set(range(20, 40)), "there"), sliced(set(range(40)), "there")
    paths = [_write(tmp_path, name, one) for name, one in (("a.json", a), ("b.json", b))]
    found = compare(*map(read_side, paths), by="there")
    assert list(found.parts) == ["new (20)", "old (20)"]
    (new,), (old,) = found.parts.values()
    assert (new.difference.value, new.verdict) == (1.0, B_BETTER)
    assert (old.difference.value, old.verdict) == (0.0, NOT_SHOWN)
    assert _called(*paths, "--by", "there", "--json", "-") == 0
    assert set(json.loads(capsys.readouterr().out)["parts"]) == {"new (20)", "old (20)"}
    with pytest.raises(UsageError, match="no slice size in either result: there is there"):
        compare(*map(read_side, paths), by="size")


def test_a_slice_that_one_side_has_is_enough(tmp_path):
    a = _result(_bits([0.0] * 4))
    b = _result(_bits([1.0] * 4))
    b = replace(b, items=[replace(one, facets={"copy": "no"}) for one in b.items])
    paths = [_write(tmp_path, name, one) for name, one in (("a.json", a), ("b.json", b))]
    assert list(compare(*map(read_side, paths), by="copy").parts) == ["no (4)"]
