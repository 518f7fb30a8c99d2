"""What a model of the project brings to a model's law, token by token, on files it has not seen.

Some files of each package are read from left to right, teacher-forced, with all its other files as
the workspace: the same store, matcher and mixing as are served, without prompts and sampling.
Fitting takes the same readings of other packages. The measure is per byte, so that models with
different tokenizers compare. It knows no engine: whoever calls brings the model's logits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from completion.prompt.encoder import TextEncoder
from completion.workspace.fit import Fit, Tally, bucket
from completion.workspace.leave_one_out import LeaveOneOut
from completion.workspace.match import Match, Matcher
from completion.workspace.mix import Mixer
from completion.workspace.store import Store
from completion.workspace.trust import Trust, fit_trust

Ids = NDArray[np.int64]
Logits = Callable[[Ids], Tensor]
"""The logits in front of each of so many tokens, (n, V) float32, from the tokens before it."""

FILES = 12
"""Files read of a package."""
SHORTEST, LONGEST = 200, 2048
"""Tokens of a file that is read: shorter ones say little, of longer ones the beginning is read."""
MOST_DIGITS = 0.25
"""Share of tokens that are numbers from which on a file is a table."""
AT_ONCE = 256
"""Rows mixed at a time: a step of an engine has no more."""


@dataclass(slots=True)
class Figures:
    """Sums over the tokens that were read."""

    tokens: int = 0
    text_bytes: int = 0
    matched: int = 0
    right: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("model", "workspace", "mixed"), 0)
    )
    bits: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("model", "mixed"), 0.0))

    def add(self, name: str, rows: Tensor, came: Tensor) -> None:
        """Take in the tokens that ``came``, (n,), by their logits in the law ``name``, (n, V)."""
        log_p = torch.log_softmax(rows, 1).gather(1, came[:, None]).double()
        self.bits[name] -= float(log_p.sum()) / math.log(2.0)
        self.right[name] += int((rows.argmax(1) == came).sum())

    def table(self) -> dict[str, float]:
        """Return top-1 accuracies and bits per byte by name."""
        found = {f"top1_{name}": count / self.tokens for name, count in self.right.items()}
        found |= {f"bits_per_byte_{name}": b / self.text_bytes for name, b in self.bits.items()}
        return {"tokens": self.tokens, "matched": self.matched / self.tokens, **found}


@dataclass(frozen=True, slots=True)
class Cases:
    """What :func:`fit_trust` needs of the matches in a package; shape (cases,)."""

    buckets: Ids
    certainties: Tensor
    p: Tensor
    q: Tensor


class Package:
    """A package's tokens: the files to be read, and the workspace around each of them."""

    def __init__(
        self, name: str, files: Mapping[str, bytes], encoder: TextEncoder, most: int
    ) -> None:
        self.name = name
        self.vocabulary = encoder.vocabulary
        self.ids = {path: np.array(encoder.encode(text), np.int64) for path, text in files.items()}
        digits = np.array([text.strip().isdigit() for text in self.vocabulary.token_bytes])
        able = [
            path
            for path, ids in self.ids.items()
            if len(ids) >= SHORTEST and digits[ids].mean() < MOST_DIGITS
        ]
        self.read = sorted(able, key=lambda path: sha256(path.encode()).digest())[:most]

    def store(self, *, without_read: bool) -> Store:
        """Return the files in a store, with or without those that are read."""
        store = Store(len(self.vocabulary))
        for path, ids in self.ids.items():
            if not (without_read and path in self.read):
                store.put(path, ids)
        store.merge()
        return store

    def tally(self) -> Tally:
        """Count how the other files foresee each other."""
        work = LeaveOneOut(self.store(without_read=True), Fit())
        while not work.step(1.0):
            pass
        counted = Tally()
        counted.hits, counted.cases = np.array(work.fit.hits), np.array(work.fit.cases)
        return counted

    def matches(self, store: Store, path: str) -> tuple[Ids, list[Match | None]]:
        """Return the tokens of a file from the second on, and what matched in front of each."""
        ids = self.ids[path][:LONGEST]
        matcher = Matcher(store.view(without=path))
        found: list[Match | None] = []
        for token in ids[:-1].tolist():
            matcher.append(token)
            found.append(matcher.find())
        return ids, found


def measure(package: Package, logits: Logits, kept: Sequence[int], fit: Fit) -> Figures:
    """Read a package's files with the model alone, the workspace alone, and both mixed by ``fit``.

    ``kept``: the ids without text, and those that end a middle.
    """
    sizes = np.array([len(text) for text in package.vocabulary.token_bytes])
    mixer, store = Mixer(kept, len(package.vocabulary)), package.store(without_read=False)
    figures = Figures()
    for path in package.read:
        ids, found = package.matches(store, path)
        rows, came = logits(ids)[1:], torch.from_numpy(ids[1:])
        figures.tokens += len(came)
        figures.text_bytes += int(sizes[ids[1:]].sum())
        figures.add("model", rows, came)
        for at in range(0, len(rows), AT_ONCE):
            part = found[at : at + AT_ONCE]
            mixer.mix(rows[at : at + AT_ONCE], part, [fit] * len(part))
        figures.add("mixed", rows, came)
        for match, token in zip(found, ids[1:].tolist(), strict=True):
            figures.matched += match is not None
            figures.right["workspace"] += match is not None and match.favourite == token
    return figures


def cases(package: Package, logits: Logits, kept: Sequence[int]) -> Cases:
    """Read a package's files and keep what the model and the workspace gave to what came."""
    store = package.store(without_read=False)
    buckets: list[int] = []
    numbers: list[Tensor] = []
    for path in package.read:
        ids, found = package.matches(store, path)
        law = torch.softmax(logits(ids)[1:].double(), 1)
        at = [index for index, match in enumerate(found) if match is not None]
        q: list[float] = []
        for index in at:
            match = found[index]
            assert match is not None
            buckets.append(bucket(match.length, match.share, match.seen))
            q.append(float(match.weights[match.ids == ids[index + 1]].sum()) / match.seen)
        outside = 1.0 - law[at][:, list(kept)].sum(1)
        p = law[at, torch.from_numpy(ids[1:][at])] / outside
        numbers.append(torch.stack([law[at].amax(1), p, torch.tensor(q, dtype=torch.float64)]))
    certainties, p, q_ = torch.cat(numbers, 1)
    return Cases(np.array(buckets), certainties, p, q_)


def fitted(read: Sequence[tuple[Tally, Cases]]) -> tuple[Fit, Trust]:
    """Return the fit to packages: all their tallies as its table, and what weighs them best.

    The constants are fitted with λ of each package as it will be served: from its own tally, on the
    table of the other packages. Raises ValueError without a case.
    """
    table = Tally()
    for tally, _ in read:
        table.hits += tally.hits
        table.cases += tally.cases
    rates: list[Tensor] = []
    for tally, found in read:
        others = Tally()
        others.hits, others.cases = table.hits - tally.hits, table.cases - tally.cases
        lambdas = torch.tensor(Fit().on(others).on(tally).rates, dtype=torch.float64)
        rates.append(lambdas[torch.from_numpy(found.buckets)])
    trust = fit_trust(
        torch.cat(rates),
        torch.cat([found.certainties for _, found in read]),
        torch.cat([found.p for _, found in read]),
        torch.cat([found.q for _, found in read]),
    )
    return replace(Fit().on(table), a=trust.a, b=trust.b, c=trust.c), trust


def teacher_forced(forward: Callable[[Tensor], Tensor], start: int, window: int) -> Logits:
    """Return the logits of a model that reads ``window`` tokens at a time.

    ``forward``: ids (1, n) to logits (1, n, V). ``start``: the id in front of a text. Windows overlap
    by a half, and every token but those of a text's beginning is read behind half a window.
    """

    @torch.inference_mode()
    def logits(ids: Ids) -> Tensor:
        size, step = window - 1, (window - 1) // 2
        parts: list[Tensor] = []
        done = first = 0
        while done < len(ids):
            stop = min(first + size, len(ids))
            rows = forward(torch.tensor([[start, *ids[first : stop - 1].tolist()]]))[0].float()
            parts.append(rows[done - first :])
            done, first = stop, min(first + step, max(0, len(ids) - size))
        return torch.cat(parts)

    return logits
