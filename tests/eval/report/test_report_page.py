"""The report as a page: well-formed, complete, inert, the same for the same input."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from eval.commands import eval_report
from eval.metrics.by_stop_reason import by_stop_reason
from eval.metrics.latency import table
from eval.metrics.summary import summarise
from eval.report.definitions import definition
from eval.report.examples import chosen
from eval.report.ghost import marked
from eval.report.loading import load_curve
from eval.report.page import page
from eval.result import Baseline, Record, Result, write_result

SECTIONS = {"summary", "endings", "latency", "failures", "made"}
VOID = {"meta", "br", "hr"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed where it should be."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(document)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.elements if name in attrs]


def record(number: int, *, right: bool, cut_right: bool | None = None, **changes: Any) -> Record:
    cut_right = right if cut_right is None else cut_right
    fields: dict[str, Any] = {
        "id": f"item/{number}", "kind": ("in a word", "after (")[number % 2],
        "prompt_sha256": f"{number:064x}", "prefix": "def f(a):\n    ", "suffix": "\n\nf(1)\n",
        "reference": "return a", "raw": "return a" if right else "return b\n", "cut": "return a",
        "raw_end": "model", "cut_end": "line", "declined": "",
        "scores": {"exact_match": float(right), "exact_match_cut": float(cut_right),
                   "ended_by_model": 1.0, "repeats_suffix": 0.0, "repeats_suffix_cut": 0.0},
        "timings": {"queue_ms": 0.5, "first_token_ms": 10.0 + number % 90, "total_ms": 400.0,
                    "prompt_tokens": 100.0, "cached_tokens": 64.0},
    }  # fmt: skip
    return Record(**fields | changes)


def result(items: list[Record], *, baseline: float | None = 0.2, **changes: Any) -> Result:
    scores = {r.id: r.scores for r in items}
    groups = {
        kind: summarise({r.id: r.scores for r in items if r.kind == kind})
        for kind in dict.fromkeys(r.kind for r in items)
    }
    baselines: dict[str, Baseline] = {}
    if baseline is not None:
        guessed = {
            r.id: {"exact_match": float(n < baseline * len(items)), "exact_match_cut": 0.0}
            for n, r in enumerate(items)
        }
        baselines["nearest-line"] = Baseline(metrics=summarise(guessed), scores=guessed)  # pyright: ignore[reportArgumentType]
    fields: dict[str, Any] = {
        "suite": "santacoder-fim:py", "suite_version": "1",
        "data": {"source": "python.jsonl", "sha256": "ab12", "published": True},
        "model": {"name": "a-model", "checksum": "cd34"}, "engine": "server",
        "options": {"seed": 0, "healing": "exact"}, "caret": {"version": "0.1.0", "commit": "ef56"},
        "machine": {"cores": 2}, "started": "2026-01-02T03:04:05Z", "seconds": 12.5,
        "metrics": summarise(scores), "groups": groups,
        "latency": table([r.timings for r in items if r.timings]), "baselines": baselines,
        "items": items,
    }  # fmt: skip
    return Result(**fields | changes)


def items(n: int, right: Callable[[int], bool] = lambda n: n % 2 == 0) -> list[Record]:
    return [record(number, right=right(number)) for number in range(n)]


def shown(*results: Result) -> str:
    return page([(Path(f"r{number}.json"), each) for number, each in enumerate(results)])


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    eval_report.configure(parser)
    return eval_report.run(parser.parse_args(words))


def test_a_page_is_well_formed_and_has_every_section_metric_and_fact():
    whole = Page(shown(result(items(240))))
    assert SECTIONS | {"suite-santacoder-fim-py"} <= set(whole.values("id"))
    for word in (
        "exact match", "ended by model", "repeats suffix", "in a word", "after (", "first token",
        "recomputed", "nearest-line", "50.0 %", "a-model", "cd34", "ef56", "ab12", "2026-01-02",
    ):  # fmt: skip
        assert word in whole.text, word
    assert [tag for tag, _ in whole.elements].count("svg") == 3  # overall, by kind, latency


def test_nothing_is_fetched_and_nothing_runs():
    document = shown(result(items(20)), result(items(20), suite="cardinal"))
    whole = Page(document)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in whole.elements}
    assert all(target.startswith("#") for name in ("href", "src") for target in whole.values(name))
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)", document))
    assert not re.search(r"https?:", document)
    assert "@import" not in document
    assert any("default-src 'none'" in value for value in whole.values("content"))


def test_ids_are_unique_and_every_reference_has_its_target():
    document = shown(result(items(20)), result(items(20), model={"name": "another"}))
    ids = Page(document).values("id")
    assert len(ids) == len(set(ids))
    pointed = set(re.findall(r"url\(#([^)]+)\)", document))
    pointed |= {target[1:] for target in Page(document).values("href")}
    assert pointed <= set(ids)


def test_markup_in_any_text_of_an_item_is_inert():
    fields = ("raw", "cut", "reference", "prefix", "suffix", "id", "kind", "raw_end", "cut_end")
    hostile = '</script><script>alert(1)</script><img src=x onerror="alert(1)">]]>--><b>$x_{$'
    odd = record(1, right=False, **{field: f"{hostile} {field}" for field in fields})
    silent = record(3, right=False, cut=None, declined=f"{hostile} declined")
    whole = Page(shown(result([odd, silent])))
    tags = {tag for tag, _ in whole.elements}
    assert not {"script", "img"} & tags
    assert not any(name.startswith("on") for _, attrs in whole.elements for name in attrs)
    for field in (*fields, "declined"):  # it is there, to be read
        assert f"{hostile} {field}" in whole.text, field


def test_markup_in_names_is_inert():
    bad = "<img src=x onerror=alert(1)>\"'"
    changed = result(
        items(4), suite=bad, model={"name": bad}, options={bad: bad}, warnings=[bad],
        machine={bad: [bad]}, data={"source": bad},
    )  # fmt: skip
    document = page([(Path(bad), changed)], title=bad)
    assert "img" not in {tag for tag, _ in Page(document).elements}


def test_bytes_and_controls_that_no_page_may_hold_are_written_out():
    odd = record(1, right=False, raw="a\x00b\udcffc\u202ed", prefix="\ud800x\x1b")
    document = shown(result([odd]))
    document.encode("utf-8")
    assert "a\\x00b\\xffc\\u202ed" in document
    assert not re.search("[\x00\x1b\u202e]", document)


def test_blanks_at_the_edges_of_a_completion_are_marked():
    assert "··" in marked("  x = 1")
    assert "↵" in marked("x\n")
    assert "↵" in marked("\n    return")
    assert "·" not in marked("a b")
    assert "␍" in marked("x\r\n")
    assert "→" in marked("\tx")
    long = marked("line\n" * 1000)
    assert len(long) < 2000
    assert "characters more" in long


def test_the_same_results_give_the_same_bytes():
    assert shown(result(items(60))) == shown(result(items(60)))


def test_ten_thousand_items_make_a_small_page():
    assert len(shown(result(items(10_000))).encode()) < 1_000_000


def test_a_model_below_a_baseline_is_said_to_be_worth_nothing_there():
    behind = Page(shown(result(items(300), baseline=0.9))).text
    assert "Does not beat nearest-line, which needs no model" in behind
    assert "worth nothing" in behind


def test_a_model_above_its_baselines_is_not():
    ahead = Page(shown(result(items(300, lambda n: n % 10 > 0), baseline=0.2))).text
    assert "worth nothing" not in ahead
    assert "Beats nearest-line" in ahead


def test_a_lead_that_may_be_chance_is_not_called_one():
    level = Page(shown(result(items(100), baseline=0.49))).text
    assert "Is not shown to beat nearest-line" in level
    assert "worth nothing" in level


def test_few_items_and_data_of_ones_own_are_warned_of_once():
    few = result(items(20), data={"published": False}, warnings=["fewer than 200 items (20): x"])
    text = Page(shown(few)).text
    assert text.count("fewer than 200 items") == 1
    assert "not the published data set" in text
    assert "fewer than 200 items (20)" in Page(shown(result(items(20)))).text
    assert "fewer than" not in Page(shown(result(items(200)))).text


def test_several_runs_stand_side_by_side_with_paired_differences():
    one = result(items(300), options={"healing": "exact", "seed": 0})
    two = result(items(300, lambda n: n % 4 == 0), options={"healing": "off", "seed": 0})
    text = Page(shown(one, two)).text
    assert "a-model (healing exact)" in text
    assert "a-model (healing off)" in text
    assert "Paired differences against a-model (healing exact)" in text
    assert "−25.0 points" in text
    assert "worse" in text


def test_runs_without_common_items_are_said_to_be_unpaired():
    other = [replace(r, id=f"other/{r.id}") for r in items(30)]
    text = Page(shown(result(items(30)), result(other))).text
    assert "unpaired" in text
    assert "Paired differences" not in text


def test_published_figures_stand_beside_a_suite_that_has_them():
    text = Page(shown(result(items(4)))).text
    assert "in its own protocol" in text
    assert "StarCoder2-3B" in text


def test_a_result_with_next_to_nothing_in_it_still_makes_a_page():
    bare = Result(
        suite="of another Caret", suite_version="9", data={}, model={}, engine="", options={},
        caret={}, machine={}, started="", seconds=0, metrics={},
    )  # fmt: skip
    text = Page(shown(bare)).text
    assert "does not know the suite" in text
    assert "No request was timed" in text
    assert "holds no items" in text


def test_items_are_chosen_by_the_rule_whatever_their_order():
    right = [record(n, right=True) for n in range(20)]
    wrong = [record(n, right=False) for n in range(20, 60)]
    turned = [record(n, right=False, cut_right=True) for n in range(60, 70)]
    found = chosen([*right, *wrong, *turned], "exact_match")
    assert found == chosen([*turned, *right, *reversed(wrong)], "exact_match")
    headings = [heading for heading, _ in found]
    assert headings == ["wrong"] * 4 + ["wrong raw, right cut"] * 2 + ["right"] * 2
    assert {r.kind for heading, r in found if heading == "wrong"} == {"in a word", "after ("}


def test_the_training_curve_is_there_when_its_log_is_given(tmp_path: Path):
    log = tmp_path / "run" / "metrics.jsonl"
    log.parent.mkdir()
    rows = [{"step": n, "tokens": n * 1000, "bits_per_byte": 3 / n} for n in range(1, 30)]
    rows.append({"step": 30, "tokens": 30_000, "held_out_bits_per_byte": 1.25})
    log.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 3')
    curve = load_curve(log.parent)
    assert (len(curve.trained), curve.held_out) == (29, [(30_000, 1.25)])
    whole = Page(page([(Path("r.json"), result(items(4)))], curves=[curve]))
    assert "training" in whole.values("id")
    assert "1.250 bits per byte of held-out" in whole.text


@pytest.mark.parametrize(
    "content",
    ["", "nonsense\n", '{"tokens": "x", "bits_per_byte": 1}\n', "[1]\n", '{"bits_per_byte": 1}\n'],
)
def test_a_damaged_training_log_is_one_line(tmp_path: Path, content: str):
    log = tmp_path / "metrics.jsonl"
    log.write_text(content)
    with pytest.raises(UsageError) as caught:
        load_curve(log)
    assert "\n" not in caught.value.message


def test_the_command_writes_the_file_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_result(result(items(6)), tmp_path / "r.json")
    out = tmp_path / "new" / "report.html"
    assert command(str(tmp_path / "r.json"), "--out", str(out), "--title", "Ours & theirs") == 0
    assert "<title>Ours &amp; theirs</title>" in out.read_text(encoding="utf-8")
    assert str(out) in capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]


def test_the_command_never_writes_over_what_it_reads(tmp_path: Path):
    path = tmp_path / "r.json"
    write_result(result(items(2)), path)
    before = path.read_bytes()
    with pytest.raises(UsageError):
        command(str(path), "--out", str(path))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for out in (tmp_path, pipe, Path("/dev/null"), path / "below.html"):
        with pytest.raises(UsageError, match="--out"):
            command(str(path), "--out", str(out))
    assert path.read_bytes() == before


def test_a_report_at_a_link_goes_where_it_points(tmp_path: Path):
    write_result(result(items(2)), tmp_path / "r.json")
    link, target = tmp_path / "link.html", tmp_path / "target.html"
    link.symlink_to(target)
    assert command(str(tmp_path / "r.json"), "--out", str(link)) == 0
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def replayed(keys: int = 30) -> Result:
    """Two files that were typed: every key has its timings, and nothing has a raw text."""
    scores = {"keystrokes_saved": [5.0, 40.0], "shown": [8.0, 40.0], "accepted": [2.0, 8.0]}
    typed = [
        record(
            number, right=False, raw=None, raw_end="", scores=scores, kind="",
            timings={"first_token_ms": 7.0, "total_ms": 11.0},
            samples=[{"timings": {"first_token_ms": 7.0 + n, "total_ms": 11.0 + n}}
                     for n in range(keys - 1)],
        )
        for number in range(2)
    ]  # fmt: skip
    return result(typed, suite="replay", baseline=None, groups={})


def test_a_suite_without_raw_and_cut_has_one_value_and_no_endings():
    text = Page(shown(replayed())).text
    one = text[text.index("A function typed key by key") : text.index("No suite here asks")]
    assert "raw" not in one
    assert "value" in one
    assert "no answer" not in text
    both = Page(shown(replayed(), result(items(4)))).text
    endings = both[both.index("Whether a middle ends") : both.index("Of the request an editor")]
    assert "santacoder-fim:py" in endings
    assert "replay" not in endings


def test_the_figures_of_each_stop_reason_are_there_for_results_of_before_too():
    scores = {"exact_match": 1.0, "exact_match_cut": 1.0, "ended_rightly_cut": 1.0}
    lines = [record(n, right=True, scores=scores) for n in range(3)]
    lines.append(record(3, right=False, cut_end="scope", scores=scores | {"exact_match_cut": 0.0}))
    lines.append(record(4, right=True, cut=None, cut_end="", declined="filtered:blank"))
    before = result(lines)
    now = replace(before, endings=by_stop_reason(before.items))
    assert list(now.endings["cut"]) == ["line", "nothing suggested", "scope"]
    assert shown(before) == shown(now)
    text = Page(shown(now)).text
    table = text[text.index("By what ended the texts") : text.index("nothing suggested because")]
    assert re.search(r"cut ?line ?3 \(60\.0.%\) ?100\.0.%", table)
    assert re.search(r"scope ?1 \(20\.0.%\) ?0\.0.%", table)
    assert "filtered:blank" in text


def test_the_latency_of_every_key_is_drawn_and_not_of_the_first_alone():
    # Two files alone are too few for a histogram: it is there because of their keys.
    drawn, alone = (Page(shown(replayed(keys=keys))) for keys in (30, 1))
    titles = ["milliseconds" in label for label in drawn.values("aria-label")]
    assert titles.count(True) == 1
    assert not any("milliseconds" in label for label in alone.values("aria-label"))


def test_runs_with_other_numbers_in_flight_are_told_apart():
    one = result(items(20), options={"workers": 1, "seed": 0})
    eight = result(items(20), options={"workers": 8, "seed": 0})
    text = Page(shown(one, eight)).text
    assert "a-model (workers 1)" in text
    assert "a-model (workers 8)" in text


METRICS = (
    "pass@1", "pass@1_truncated", "exact_match", "exact_match_line", "exact_match_unspaced",
    "edit_similarity", "identifier_exact_match", "identifier_f1", "syntax_match",
    "syntax_match_truncated", "token_accuracy", "accuracy", "mrr", "rouge_l", "meteor",
    "first_token_cut_off", "ended_by_model", "ended_rightly", "lines_right", "repeats_suffix",
    "keystrokes_saved", "chars_saved",
    "shown", "accepted", "wrong_edit", "served_without_model", "model_requests", "bits_per_byte",
    "bits_per_byte_1",
)  # fmt: skip


def test_every_metric_of_every_suite_has_a_definition_of_its_own():
    sentences = [definition(metric) for metric in METRICS]
    assert "Defined by its suite." not in sentences
    assert len(set(sentences)) == len(METRICS)
    assert definition("exact_match_line_cut") == definition("exact_match_line")


def test_what_a_perfect_answer_cannot_reach_is_said_beside_the_figures():
    scores = {"accuracy": 1.0, "accuracy_cut": 1.0, "meteor": 0.9}
    said = Page(shown(result([record(1, right=True, scores=scores)], suite="cardinal"))).text
    assert "METEOR is below 100 % for a perfect answer, by its definition." in said
    assert "identifier F1 is 0 where" not in said
    assert "METEOR is below" not in Page(shown(result(items(4)))).text
