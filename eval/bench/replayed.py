"""Typing of real functions as the requests that a model gets, each with its greedy answer and candidates.

Keys are typed in order, and the model is asked behind each that its last answer did not foresee, as
the language server does it that remembers what it showed. What is left out: the workspace is not mixed
into the law, typed bytes are not healed (the prompt ends with them, in whatever tokens they have), answers
are not cut to what would be shown, and none is taken. The weights are read in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import torch

from completion.engine.checkpoint import Checkpoint
from completion.errors import UsageError
from completion.prompt.views import DocumentView
from completion.server.held_workspace import View
from completion.server.surroundings import Surroundings
from eval.bench.drafted import Candidates, Request
from eval.replay.regions import LEAST, MOST, region_of

TOKENS = 32
"""Most tokens of an answer."""
_AHEAD = 8


def functions(files: Mapping[str, bytes], most: int) -> list[tuple[str, int, int]]:
    """Return path, start and end of the functions that are typed, one a file, chosen by a hash.

    Raises:
        UsageError: no file has one.
    """
    ranked = sorted(
        files, key=lambda path: sha256(path.encode("utf-8", "surrogateescape")).digest()
    )
    found: list[tuple[str, int, int]] = []
    for path in ranked:
        place = region_of(path, files[path]) if path.endswith(".py") else None
        if place is not None:
            found.append((path, *place))
        if len(found) == most:
            break
    if not found:
        raise UsageError(
            f"no Python file of the workspace has a function of {LEAST} to {MOST} characters to type"
        )
    return found


class Reader:
    """A model that keeps what it has read, and what it held likely behind each token of it.

    ``forward``: of transformers' causal models, with a cache that can be cropped.
    """

    def __init__(self, model: Any, candidates: int) -> None:
        from transformers import DynamicCache

        self._model, self._candidates = model, candidates
        self._cache: Any = DynamicCache()
        self._ids: list[int] = []
        self._rows: list[Candidates] = []
        self._answered: list[int] = []

    def read(self, ids: list[int]) -> int:
        """Read a prompt; return how many of its tokens the last one, or its answer, had before."""
        shared = 0
        most = min(len(ids) - 1, len(self._ids))
        while shared < most and ids[shared] == self._ids[shared]:
            shared += 1
        self._cut(shared)
        self._forward(ids[shared:])
        return shared

    def answer(self, stop: tuple[int, ...], most: int) -> list[int]:
        """Return the greedy continuation, ``most`` tokens or up to one of ``stop``, which is its last.

        Some tokens that may come are read at once, and what comes otherwise is forgotten again.
        """
        found = [self._rows[-1][0]]
        while len(found) < most and found[-1] not in stop:
            known = len(self._ids) + 1
            ahead = [found[-1], *self._ahead(found[-1])[: most - len(found) - 1]]
            self._forward(ahead)
            for number, token in enumerate([*ahead[1:], -1]):
                found.append(self._rows[known + number - 1][0])
                if token != found[-1] or token in stop:
                    self._cut(known + number)
                    break
        self._answered = found
        return found

    def _ahead(self, last: int) -> list[int]:
        """Return what followed the last two tokens in the answer before, or in what was read."""
        text = [*self._ids, -1, *self._answered]
        before = self._ids[-1]
        for at in range(len(text) - 1, 1, -1):
            if text[at - 1] == last and text[at - 2] == before:
                follows = text[at : at + _AHEAD]
                return follows[: follows.index(-1)] if -1 in follows else follows
        return []

    def _cut(self, size: int) -> None:
        if size < len(self._ids):
            self._cache.crop(size - len(self._ids))  # so many tokens less
        del self._ids[size:], self._rows[size:]

    @property
    def rows(self) -> list[Candidates]:
        """The candidates behind each token that was read."""
        return self._rows

    @torch.inference_mode()
    def _forward(self, ids: list[int]) -> None:
        logits = self._model(
            torch.tensor([ids]), past_key_values=self._cache, use_cache=True
        ).logits
        self._ids += ids
        self._rows += [tuple(row) for row in logits[0].topk(self._candidates).indices.tolist()]


@contextmanager
def one_thread() -> Generator[None]:
    """Compute by one thread of torch's: of one token, several take far longer on busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def replay(
    checkpoint: Checkpoint, reader: Reader, files: Mapping[str, bytes],
    typed: list[tuple[str, int, int]], most: int, say: Callable[[str], None],
) -> Iterator[Request]:  # fmt: skip
    """Yield the requests of each function in ``typed``, ``most`` of each at most; 0: all of them."""
    builder = checkpoint.prompt_builder()
    around = Surroundings(checkpoint.encoder)
    for number, (path, start, end) in enumerate(typed):
        above, region, below = files[path][:start], files[path][start:end], files[path][end:]
        pressed = asked = 0
        shown, shown_at = b"", 0
        for done in _keys(region):
            pressed += 1
            since = region[shown_at:done]
            if len(since) < len(shown) and shown.startswith(since):
                continue
            if most and asked == most:
                break
            document = DocumentView(
                prefix=above + region[:done], suffix=below, path=path, language_id="python"
            )
            prompt = builder.build(document, max_tokens=TOKENS)
            cached = reader.read(prompt.token_ids)
            size = len(prompt.token_ids)
            answer = reader.answer(checkpoint.stop_ids, TOKENS)
            asked += 1
            yield Request(
                document=number,
                prompt=prompt.token_ids,
                prompt_rows=reader.rows[:size],
                cached=cached,
                answer=answer,
                answer_rows=reader.rows[size:],
                mixing=View("", "", path).mixing(prompt, around.of(document, prompt)),
            )
            text = [token for token in answer if token not in checkpoint.stop_ids]
            shown, shown_at = checkpoint.vocabulary.bytes_of(text), done
        say(f"typed in {path}: {pressed} keys, {asked} requests")


def _keys(text: bytes) -> Iterator[int]:
    """Yield where the cursor stands behind each character."""
    for at in range(1, len(text) + 1):
        if at == len(text) or text[at] & 0xC0 != 0x80:
            yield at
