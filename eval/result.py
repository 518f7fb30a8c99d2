"""The result of one run as a file: typed, versioned, checked when it is read.

Lives here: the schema and its reading and writing. The top level has, among what says how it came
about, ``suite``, ``model``, ``metrics`` and ``items``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from completion.errors import UsageError
from eval.damage import inconsistency
from eval.declared import mismatch
from eval.suites.base import CUT

SCHEMA = 1
"""Counts up when a reader of the schema before would misread a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A figure with the 95 % interval of a bootstrap over items."""

    value: float
    low: float
    high: float
    n: int
    """Items it is of."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One item of a result. Texts as :func:`eval.item.to_text` writes them."""

    id: str
    kind: str
    prompt_sha256: str
    """Of prefix, suffix and what came with them, with zero bytes between: two runs asked the same
    where these agree."""
    prefix: str
    """Its last :data:`PREFIX_SHOWN` bytes."""
    suffix: str
    """Its first :data:`SUFFIX_SHOWN` bytes."""
    reference: str
    raw: str | None
    cut: str | None
    """Of the first sample; the others are in ``samples``."""
    raw_end: str
    cut_end: str
    declined: str
    scores: dict[str, Any]
    """By metric; a pair is a part and its whole."""
    verdicts: dict[str, str] = field(default_factory=dict[str, str])
    """Of programs that were run: ``raw`` and ``cut`` (``raw/3`` for a later sample)."""
    timings: dict[str, float] = field(default_factory=dict[str, float])
    samples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    place_sha256: str = ""
    """Of prefix and suffix alone: where these agree two runs asked at the same place, whatever came
    with it. Empty in results of before."""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    facets: dict[str, str] = field(default_factory=dict[str, str])
    """By slice: the part that the item is in."""


PREFIX_SHOWN = 1000
SUFFIX_SHOWN = 300


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What guessing without a model scores on the same items."""

    metrics: dict[str, Metric]
    scores: dict[str, dict[str, Any]]
    """By item."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run."""

    suite: str
    suite_version: str
    data: dict[str, Any]
    model: dict[str, Any]
    """``name``, ``checksum``, … of :class:`eval.engines.base.Identity`."""
    engine: str
    options: dict[str, Any]
    caret: dict[str, Any]
    """``version``, and in a checkout ``commit`` and ``dirty``."""
    machine: dict[str, Any]
    started: str
    """ISO 8601, UTC."""
    seconds: float
    """Spent, over all resumptions."""
    metrics: dict[str, Metric]
    groups: dict[str, dict[str, Metric]] = field(default_factory=dict[str, dict[str, Metric]])
    """By kind of item."""
    facets: dict[str, dict[str, dict[str, Metric]]] = field(
        default_factory=dict[str, dict[str, dict[str, Metric]]]
    )
    """Of the slices that items of any suite have, by their parts."""
    endings: dict[str, dict[str, dict[str, Metric]]] = field(
        default_factory=dict[str, dict[str, dict[str, Metric]]]
    )
    """Of ``raw`` and of ``cut`` texts: by what ended them, as
    :func:`eval.metrics.by_stop_reason.by_stop_reason` has it."""
    latency: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """By stage: ``p50``, ``p95``, ``p99``, ``mean``, ``n``; milliseconds or tokens as named."""
    baselines: dict[str, Baseline] = field(default_factory=dict[str, Baseline])
    warnings: list[str] = field(default_factory=list[str])
    items: list[Record] = field(default_factory=list[Record])
    schema: int = SCHEMA


def has_cut(result: Result) -> bool:
    """Return whether its metrics tell the raw text from the cut one; replay and bits have one."""
    return any(name.endswith(CUT) for name in result.metrics)


def timings_of(record: Record) -> list[dict[str, float]]:
    """Return the timings of all samples of an item that were timed, the first one's first."""
    found = [record.timings, *(sample.get("timings", {}) for sample in record.samples)]
    return [timings for timings in found if any(timings.values())]


def write_result(result: Result, path: Path) -> None:
    """Write it in one replacing move; of a link, what it points to."""
    path = path.resolve()
    temporary = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(dumped(result), encoding="utf-8")
    temporary.replace(path)


def dumped(result: Result) -> str:
    """Return the text of its file."""
    return json.dumps(asdict(result), indent=1) + "\n"


def read_result(path: Path) -> Result:
    """Read a result, every field of it held against its type.

    Raises:
        UsageError: there is none, it is cut off, of another schema, or damaged: which field.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"{path}: not a result file ({error})") from None
    except RecursionError:
        raise UsageError(f"{path}: not a result file (nested too deep)") from None
    if not isinstance(table, dict) or "suite" not in table:
        raise UsageError(f"{path}: not a result of `caret eval`")
    table = cast("dict[str, Any]", table)
    schema = table.get("schema", 0)
    if isinstance(schema, bool) or not isinstance(schema, int | float):
        raise UsageError(f"{path}: a damaged result: schema must be a number; run the suite again")
    if schema != SCHEMA:
        when = "an older" if schema < SCHEMA else "a newer"
        raise UsageError(
            f"{path}: a result of schema {schema}, {when} one than this Caret's {SCHEMA}; "
            "run the suite again"
        )
    wrong = mismatch(table, Result)
    if not wrong:
        wrong = inconsistency(table) if "items" in table else "items is missing"
    if wrong:  # names of items and metrics are the file's own, and may have line ends
        line = " ".join(wrong.split())
        raise UsageError(f"{path}: a damaged result: {line}; run the suite again")
    return _result(table)


def _result(table: dict[str, Any]) -> Result:
    plain = _of(Result, table)
    plain["metrics"] = _metrics(table["metrics"])
    plain["groups"] = {kind: _metrics(found) for kind, found in table.get("groups", {}).items()}
    for name in ("facets", "endings"):
        plain[name] = {
            outer: {inner: _metrics(found) for inner, found in parts.items()}
            for outer, parts in table.get(name, {}).items()
        }
    plain["baselines"] = {
        name: Baseline(metrics=_metrics(found["metrics"]), scores=found["scores"])
        for name, found in table.get("baselines", {}).items()
    }
    plain["items"] = [Record(**_of(Record, row)) for row in table["items"]]
    return Result(**plain)


def _metrics(table: dict[str, Any]) -> dict[str, Metric]:
    return {name: Metric(**_of(Metric, value)) for name, value in table.items()}


def _of(kind: Any, table: dict[str, Any]) -> dict[str, Any]:
    """Return the entries that ``kind`` has; a later Caret of the same schema may write more."""
    known = {f.name for f in fields(kind)}
    return {name: value for name, value in table.items() if name in known}
