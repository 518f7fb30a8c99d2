"""llama.cpp in a process of its own: a child of a comparison.

``python -m eval.bench.child_llama FILE.gguf --threads N --sequences N --context N``; see
:mod:`eval.bench.child`. It is called below the package's ``Llama`` class, which makes Python objects of
logits and calls a chain of samplers: what is here is the least that a caller of the library pays. Prompts
asked together go as one batch of several sequences, as llama.cpp's own server does it; the tokens that a
sequence shares with the one before it in the same place are kept, which is its prefix cache.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from completion.errors import CaretError

_BATCH = 2048
"""Tokens handed over at once, llama.cpp's default; it computes 512 of them at a time."""


class Llama:
    """A model with room for ``sequences`` prompts of ``context`` tokens each."""

    def __init__(self, file: str, threads: int, sequences: int, context: int) -> None:
        # by name: it is an extra, and its types are known only where it is installed
        llama_cpp: Any = importlib.import_module("llama_cpp")
        self._lib = llama_cpp
        self._quiet = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        settings = llama_cpp.llama_model_default_params()
        self._model: Any = llama_cpp.llama_model_load_from_file(file.encode(), settings)
        if not self._model:
            raise CaretError(f"llama.cpp cannot read {file}")
        room = llama_cpp.llama_context_default_params()
        room.n_ctx = context * sequences
        room.n_batch = _BATCH
        room.n_seq_max = sequences
        room.n_threads = room.n_threads_batch = threads
        room.no_perf = True
        self._context: Any = llama_cpp.llama_init_from_model(self._model, room)
        if not self._context:
            raise CaretError("llama.cpp has no room for its context")
        self._memory: Any = llama_cpp.llama_get_memory(self._context)
        self._batch: Any = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._words = int(llama_cpp.llama_vocab_n_tokens(vocabulary))
        self._kept: list[list[int]] = [[] for _ in range(sequences)]

    def forget(self) -> None:
        """Empty the cache."""
        self._lib.llama_memory_clear(self._memory, False)
        self._kept = [[] for _ in self._kept]

    def run(self, prompts: Sequence[list[int]], tokens: int) -> list[dict[str, Any]]:
        """Continue all ``prompts`` together, greedily, by ``tokens`` each."""
        begun = time.perf_counter()
        todo: list[tuple[int, int, int, bool]] = []  # token, position, sequence, whether asked for
        for place, prompt in enumerate(prompts):
            same = self._shared(place, prompt)
            self._lib.llama_memory_seq_rm(self._memory, place, same, -1)
            last = len(prompt) - 1
            todo += [(prompt[at], at, place, at == last) for at in range(same, len(prompt))]
        found: list[dict[str, Any]] = [{"ids": [], "at_ms": []} for _ in prompts]
        for _ in range(tokens):
            drawn: list[tuple[int, int, int, bool]] = []
            for start in range(0, len(todo), _BATCH):
                for position, place, token in self._decode(todo[start : start + _BATCH]):
                    found[place]["ids"].append(token)
                    found[place]["at_ms"].append((time.perf_counter() - begun) * 1e3)
                    drawn.append((token, position + 1, place, True))
            todo = drawn
        for place, prompt in enumerate(prompts):
            self._kept[place] = [*prompt, *found[place]["ids"][:-1]]
        return found

    def _shared(self, place: int, prompt: list[int]) -> int:
        """Return how many tokens of ``prompt`` are kept; the last is always computed."""
        kept = self._kept[place]
        most = min(len(kept), len(prompt) - 1)
        return next((at for at in range(most) if kept[at] != prompt[at]), most)

    def _decode(self, todo: Sequence[tuple[int, int, int, bool]]) -> list[tuple[int, int, int]]:
        """Compute; return position, sequence and the most probable token of each that is asked for."""
        batch = self._batch
        batch.n_tokens = len(todo)
        for at, (token, position, place, wanted) in enumerate(todo):
            batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = place
            batch.logits[at] = wanted
        if self._lib.llama_decode(self._context, batch):
            raise CaretError("llama.cpp could not decode")
        out: list[tuple[int, int, int]] = []
        for at, (_, position, place, wanted) in enumerate(todo):
            if wanted:
                logits = self._lib.llama_get_logits_ith(self._context, at)
                row = np.ctypeslib.as_array(logits, shape=(self._words,))
                out.append((position, place, int(row.argmax())))
        return out


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser(prog="eval.bench.child_llama")
    parser.add_argument("file")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--sequences", type=int, default=1)
    parser.add_argument("--context", type=int, required=True)
    args = parser.parse_args()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    try:
        llama = Llama(args.file, args.threads, args.sequences, args.context)
        say({})
        for line in sys.stdin:
            question = json.loads(line)
            if question["fresh"]:
                llama.forget()
            say({"answers": llama.run(question["prompts"], question["tokens"])})
    except (CaretError, ImportError) as error:
        say({"error": str(error)})


if __name__ == "__main__":
    main()
