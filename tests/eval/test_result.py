"""A result's file: what was written comes back, and damage is one line that names the field."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from eval.metrics.summary import summarise
from eval.result import Baseline, Record, Result, read_result, timings_of, write_result


def made() -> Result:
    scores = {f"i{n}": {"exact_match": float(n), "typed": [1.0, 2.0]} for n in range(2)}
    items = [
        Record(
            id=name, kind="", prompt_sha256="", prefix="", suffix="", reference="x", raw="\udcff",
            cut=None, raw_end="model", cut_end="", declined="", scores=row,
            timings={"total_ms": 2.0}, samples=[{"timings": {"total_ms": 3.0}}, {"raw": "y"}],
        )
        for name, row in scores.items()
    ]  # fmt: skip
    metrics = summarise(scores)  # pyright: ignore[reportArgumentType]
    row = {"p50": 1.0, "p95": 1.0, "p99": 1.0, "mean": 1.0, "n": 2.0}
    return Result(
        suite="s", suite_version="1", data={"items": 2}, model={"name": "m"}, engine="server",
        options={"workers": 1}, caret={}, machine={}, started="", seconds=1, metrics=metrics,
        groups={"k": metrics}, endings={"raw": {"model": metrics}}, latency={"total_ms": row},
        baselines={"ngram": Baseline(metrics=metrics, scores=scores)}, items=items,
    )  # fmt: skip


def test_what_was_written_comes_back(tmp_path: Path):
    path = tmp_path / "r.json"
    write_result(made(), path)
    assert read_result(path) == made()


def test_a_result_of_before_stop_reasons_and_places_is_read(tmp_path: Path):
    path = tmp_path / "r.json"
    write_result(made(), path)
    table = json.loads(path.read_text())
    del table["endings"]
    for row in table["items"]:
        del row["place_sha256"]
    path.write_text(json.dumps(table))
    found = read_result(path)
    assert found.endings == {}
    assert {record.place_sha256 for record in found.items} == {""}


def test_what_a_later_caret_adds_to_the_schema_is_left_aside(tmp_path: Path):
    path = tmp_path / "r.json"
    write_result(made(), path)
    table = json.loads(path.read_text())
    for each in (table, table["items"][0], table["metrics"]["exact_match"]):
        each["new"] = 1
    path.write_text(json.dumps(table))
    assert read_result(path) == made()


def test_every_sample_that_was_timed_has_its_timings():
    assert [row["total_ms"] for row in timings_of(made().items[0])] == [2.0, 3.0]


def test_a_link_is_written_through_and_stays(tmp_path: Path):
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    link.symlink_to(target)
    write_result(made(), link)
    assert link.is_symlink()
    assert read_result(target) == made()


Damage = Callable[[dict[str, Any]], Any]
DAMAGES: dict[str, Damage] = {
    "schema must be a number": lambda t: t.update(schema="1"),
    "schema must be a number; ": lambda t: t.update(schema=True),
    "schema 0, an older one": lambda t: t.update(schema=0),
    "schema 2, a newer one": lambda t: t.update(schema=2),
    "not a result": lambda t: t.pop("suite"),
    "suite must be a text, not a list": lambda t: t.update(suite=["a"]),
    "model must be an object": lambda t: t.update(model="x"),
    "model.name must be a text": lambda t: t.update(model={"name": 5}),
    "model is missing": lambda t: t.pop("model"),
    "items is missing": lambda t: t.pop("items"),
    "endings.raw.model.typed.n must be at least 0": lambda t: t["endings"]["raw"]["model"][
        "typed"
    ].update(n=-1),
    "endings.raw.model must be an object": lambda t: t["endings"]["raw"].update(model=[]),
    "items must be a list, not an object": lambda t: t.update(items={"a": 1}),
    "items[1].raw must be a text, not 3": lambda t: t["items"][1].update(raw=3),
    "items[1].reference is missing": lambda t: t["items"][1].pop("reference"),
    "items[1].id i0 is there twice": lambda t: t["items"][1].update(id="i0"),
    "the score exact_match of item i0": lambda t: t["items"][0]["scores"].update(exact_match="1"),
    "the score exact_match of item i1": lambda t: t["items"][1]["scores"].update(exact_match=True),
    "the score typed of item i0": lambda t: t["items"][0]["scores"].update(typed=[1, 2, 3]),
    "and of other items it is not so": lambda t: t["items"][1]["scores"].update(typed=1),
    "item i0 of ngram": lambda t: t["baselines"]["ngram"]["scores"]["i0"].update(typed=None),
    "baselines.ngram.scores is missing": lambda t: t["baselines"]["ngram"].pop("scores"),
    "items[0].timings.total_ms must be a number": lambda t: t["items"][0].update(
        timings={"total_ms": "1"}
    ),
    "items[1].samples timings.total_ms": lambda t: t["items"][1].update(
        samples=[{"timings": {"total_ms": None}}]
    ),
    "metrics must be an object, not a list": lambda t: t.update(metrics=[]),
    "metrics.typed must be an object, not 0.5": lambda t: t["metrics"].update(typed=0.5),
    "metrics.typed.value must be a number, not NaN": lambda t: t["metrics"]["typed"].update(
        value=float("nan")
    ),
    "metrics.typed.high must be a number, not Infinity": lambda t: t["metrics"]["typed"].update(
        high=float("inf")
    ),
    'metrics.typed.low must be a number, not "x"': lambda t: t["metrics"]["typed"].update(low="x"),
    "metrics.typed.value must be a number, not a number beyond": lambda t: t["metrics"][
        "typed"
    ].update(value=10**400),
    "metrics.typed.n must be a whole number, not 1.5": lambda t: t["metrics"]["typed"].update(
        n=1.5
    ),
    "groups.k.typed.n must be at least 0, not -5": lambda t: t["groups"]["k"]["typed"].update(n=-5),
    "latency.total_ms must be an object": lambda t: t.update(latency={"total_ms": 3}),
    "latency.total_ms.p99 is missing": lambda t: t["latency"]["total_ms"].pop("p99"),
    "options.workers must be a whole number": lambda t: t.update(options={"workers": "x"}),
    "warnings[0] must be a text": lambda t: t.update(warnings=[1]),
    "seconds must be a number": lambda t: t.update(seconds="x"),
    "metrics.a b must be an object": lambda t: t["metrics"].update({"a\nb": 1}),
}


@pytest.mark.parametrize("said", DAMAGES)
def test_a_damaged_result_is_one_line_that_names_the_field(tmp_path: Path, said: str):
    path = tmp_path / "r.json"
    write_result(made(), path)
    table = json.loads(path.read_text())
    DAMAGES[said](table)
    path.write_text(json.dumps(table))
    with pytest.raises(UsageError) as caught:
        read_result(path)
    assert caught.value.exit_code == 2
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b'{"suite": "s"', b"[]", b"1"],
    ids=["nothing", "no UTF-8", "deep lists", "deep objects", "cut off", "a list", "a number"],
)  # fmt: skip
def test_what_is_no_result_is_one_line(tmp_path: Path, content: bytes):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a result") as caught:
        read_result(path)
    assert "\n" not in caught.value.message


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path):
    with pytest.raises(UsageError, match="No such file"):
        read_result(tmp_path / "none.json")
