"""What is wrong with a result's table though its types are right: names twice, numbers out of range."""

from __future__ import annotations

from typing import Any

from eval.declared import first, mismatch

_KNOWN = {
    "data": {"items": int, "published": bool},
    "model": dict.fromkeys(("name", "version", "checksum", "engine", "device", "arm"), str),
    "options": {
        "limit": int, "seed": int, "samples": int, "workers": int, "temperature": float,
    },
}  # fmt: skip
"""Entries of the open tables that something is worked out from."""
_PERCENTILES = ("p50", "p95", "p99", "mean", "n")


def inconsistency(table: dict[str, Any]) -> str:
    """Return the first find in the table of a result whose types are right; empty: nothing."""
    baselines: dict[str, Any] = table.get("baselines", {})
    figures = {"metrics": table["metrics"]}
    figures |= {f"groups.{kind}": found for kind, found in table.get("groups", {}).items()}
    figures |= {
        f"{name}.{outer}.{inner}": found
        for name in ("facets", "endings")
        for outer, parts in table.get(name, {}).items()
        for inner, found in parts.items()
    }
    figures |= {f"baselines.{name}.metrics": b["metrics"] for name, b in baselines.items()}
    scores = {f"item {row['id']}": row["scores"] for row in table["items"]}
    for name, found in baselines.items():
        scores |= {f"item {item} of {name}": row for item, row in found["scores"].items()}
    return first(
        (
            *(
                mismatch(table[name][key], kind, f"{name}.{key}")
                for name, known in _KNOWN.items()
                for key, kind in known.items()
                if table[name].get(key) is not None
            ),
            *(
                f"{where}.{name}.n must be at least 0, not {metric['n']}"
                for where, found in figures.items()
                for name, metric in found.items()
                if metric["n"] < 0
            ),
            *(
                f"latency.{stage}.{name} is missing"
                for stage, row in table.get("latency", {}).items()
                for name in _PERCENTILES
                if name not in row
            ),
            _twice(table["items"]),
            *(_wrong_score(who, row) for who, row in scores.items()),
            _mixed(scores),
            *(
                mismatch(sample.get("timings", {}), dict[str, float], f"items[{n}].samples timings")
                for n, row in enumerate(table["items"])
                for sample in row.get("samples", ())
            ),
        )
    )


def _twice(items: list[dict[str, Any]]) -> str:
    seen: set[str] = set()
    for number, row in enumerate(items):
        if row["id"] in seen:
            return f"items[{number}].id {row['id']} is there twice"
        seen.add(row["id"])
    return ""


def _wrong_score(who: str, scores: dict[str, Any]) -> str:
    """Return the first score that is neither a number nor a part and its whole."""
    for metric, score in scores.items():
        parts = score if isinstance(score, list) and len(score) == 2 else [score]
        wrong = first(mismatch(part, float, f"the score {metric} of {who}") for part in parts)
        if wrong:
            return wrong
    return ""


def _mixed(scores: dict[str, dict[str, Any]]) -> str:
    """Return the first metric that is of pairs here and of numbers there."""
    pairs: dict[str, bool] = {}
    for who, row in scores.items():
        for metric, score in row.items():
            if pairs.setdefault(metric, isinstance(score, list)) != isinstance(score, list):
                return f"the score {metric} of {who} is {score}, and of other items it is not so"
    return ""
