"""Answers, programs and outcomes as plain JSON and back, without loss. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from eval.execution.program import Outcome, Program, Verdict
from eval.item import Answer, Timings, to_bytes, to_text


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Return ``answer`` as a table; what is as it is by default is left out."""
    table: dict[str, Any] = {}
    for one in fields(Answer):
        value = getattr(answer, one.name)
        if value == getattr(_EMPTY, one.name):
            continue
        if one.name == "timings":
            value = {k: v for k, v in asdict(value).items() if v}
        elif one.name == "ranked":
            value = [to_text(text) for text in value]
        elif one.name == "data":
            value = dict(value)
        table[one.name] = to_text(value) if isinstance(value, bytes) else value
    return table


_EMPTY = Answer()


def answer_from_json(table: dict[str, Any]) -> Answer:
    """Undo :func:`answer_to_json`. Raises KeyError, TypeError or ValueError on another's table."""
    plain = dict(table)
    for name in ("raw", "cut"):
        if name in plain:
            plain[name] = to_bytes(plain[name])
    plain["ranked"] = tuple(to_bytes(text) for text in plain.get("ranked", ()))
    plain["timings"] = Timings(**plain.get("timings", {}))
    return Answer(**plain)


def program_key(program: Program) -> str:
    """Return what names a program in the journal: a hash of all that decides its outcome."""
    return digest(asdict(program))


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return ``outcome`` as a table."""
    return {
        "verdict": outcome.verdict.value,
        "detail": outcome.detail,
        "seconds": outcome.seconds,
    }


def outcome_from_json(table: dict[str, Any]) -> Outcome:
    """Undo :func:`outcome_to_json`."""
    return Outcome(
        verdict=Verdict(table["verdict"]), detail=table["detail"], seconds=table["seconds"]
    )


def digest(table: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain JSON, the order of its keys left out."""
    return hashlib.sha256(json.dumps(dict(table), sort_keys=True).encode()).hexdigest()
