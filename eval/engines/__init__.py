"""Who answers the items: the service, a model in process, dummies that know, baselines that guess."""

from __future__ import annotations

ENGINES = {
    "server": ("eval.engines.server:Server", "a `caret serve`, running or started for the run"),
    "in-process": ("eval.engines.in_process:InProcess", "the model in this process, no gRPC"),
    "byte-greedy": (
        "eval.engines.byte_level:ByteGreedy",
        "the model in this process, its likeliest next byte each time",
    ),
    "ensemble": (
        "eval.engines.byte_level:Ensemble",
        "the same of two models, --model and --second, whose next-byte laws are averaged",
    ),
    "oracle": ("eval.engines.dummies:Oracle", "knows the answers"),
    "silent": ("eval.engines.dummies:Silent", "answers nothing"),
    "half": ("eval.engines.dummies:Half", "answers the first half of each"),
    "nearest-line": (
        "eval.engines.nearest_line:NearestLine",
        "copies what followed the most similar line",
    ),
    "ngram": ("eval.engines.ngram:NGram", "the most frequent continuation in file and repository"),
    "jedi": ("eval.engines.jedi_first:JediFirst", "jedi's first completion"),
}
"""Name to module and class, and one line. A class without a model takes no arguments."""
