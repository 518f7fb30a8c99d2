"""What is evaluated on: one suite a file, named here; ``held_out.toml`` is what training never sees."""

from __future__ import annotations

import difflib
import importlib

from completion.errors import UsageError
from eval.suites.base import Suite

SUITES = {
    "humaneval-infilling:single-line": "humaneval_infilling:SingleLine",
    "humaneval-infilling:multi-line": "humaneval_infilling:MultiLine",
    "humaneval-infilling:random-span": "humaneval_infilling:RandomSpan",
    "humaneval-infilling:random-span-light": "humaneval_infilling:RandomSpanLight",
    "santacoder-fim:py": "santacoder_fim:Python",
    "santacoder-fim:js": "santacoder_fim:JavaScript",
    "santacoder-fim:java": "santacoder_fim:Java",
    "safim:block": "safim:Block",
    "safim:control": "safim:Control",
    "safim:api": "safim:Api",
    "crosscodeeval:python": "crosscodeeval:Python",
    "crosscodeeval:java": "crosscodeeval:Java",
    "crosscodeeval:typescript": "crosscodeeval:TypeScript",
    "crosscodeeval:csharp": "crosscodeeval:CSharp",
    "repobench": "repobench:RepoBench",
    "codexglue-line": "codexglue:Line",
    "codexglue-token": "codexglue:Token",
    "cardinal": "cardinal:Cardinal",
    "popup": "popup:Popup",
    "slices": "slices:Slices",
    "nodes": "nodes:Nodes",
    "replay": "replay:Replay",
    "bits": "bits:Bits",
}
"""Name to module and class; loaded when it is named."""


def suite_named(name: str) -> Suite:
    """Return the suite called ``name``.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    if name not in SUITES:
        near = difflib.get_close_matches(name, SUITES, n=3, cutoff=0.4)
        near = near or [known for known in SUITES if name and known.startswith(name.split(":")[0])]
        hint = f"did you mean {' or '.join(near)}?" if near else "`caret eval list` names them"
        raise UsageError(f"unknown suite {name}: {hint}")
    module, _, kind = SUITES[name].partition(":")
    return getattr(importlib.import_module(f"eval.suites.{module}"), kind)()
