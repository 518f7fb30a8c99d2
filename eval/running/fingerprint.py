"""What two runs share whose answers may be mixed: the same questions to the same model. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eval.engines.base import Identity
from eval.item import Item
from eval.result import Result
from eval.running import codec, judging
from eval.suites.base import Loaded, Suite

WITH_MODEL = ("server", "in-process", "byte-greedy", "ensemble")
"""The engines whose answers may depend on what else is in flight: a batch's sums do in bfloat16.
They are also the ones that baselines are held against."""


def fingerprint(
    suite: Suite,
    loaded: Loaded,
    items: Sequence[Item],
    settings: dict[str, Any],
    engine: str,
    who: Identity,
) -> dict[str, Any]:
    """Return what two runs share whose answers may be mixed."""
    asked = [(item.id, judging.prompt_sha256(item)) for item in items]
    sha256 = loaded.data.get("sha256", "")
    return _fingerprint(suite.name, suite.version, sha256, asked, settings, engine, asdict(who))


def fingerprint_of(result: Result) -> dict[str, Any]:
    """Return the same of a finished run."""
    asked = [(one.id, one.prompt_sha256) for one in result.items]
    return _fingerprint(
        result.suite, result.suite_version, result.data.get("sha256", ""), asked,
        result.options, result.engine, result.model,
    )  # fmt: skip


def _fingerprint(
    suite: str, version: str, sha256: str, asked: Sequence[tuple[str, str]],
    settings: dict[str, Any], engine: str, model: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    return {
        "suite": suite,
        "suite version": version,
        "data": sha256,
        "items": f"{len(asked)}, {codec.digest({'asked': [list(one) for one in asked]})[:12]}",
        "option": {
            name: value
            for name, value in settings.items()
            if name != "workers" or engine in WITH_MODEL
        },
        "engine": engine,
        "model": model,
    }


def differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return one text for each entry in which two fingerprints differ.

    That other items are asked is only said where nothing else says why.
    """
    found: list[str] = []
    names = dict.fromkeys([*here, *there])
    if "items" in names:
        names = [*(name for name in names if name != "items"), "items"]
    for name in names:
        old, new = there.get(name), here.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{name} ")
        elif old != new and not (name == "items" and found):
            found.append(f"{prefix}{name} {_shown(old)} there and {_shown(new)} here")
    return found


def _shown(value: Any) -> str:
    text = "nothing" if value in (None, "") else str(value)
    return text if len(text) <= 24 else text[:20] + "…"
