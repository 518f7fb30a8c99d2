"""How far the workspace is to be trusted where it has matched: λ and λ'.

λ is how often the favourite of such a match was right, from a table of buckets by the length of the
match, the favourite's share and how often the match was seen, as in the running form of
Hellendoorn and Devanbu's nested caches, but counted beforehand. A bucket with few cases takes after
the coarser ones: the mean of a Beta posterior whose prior is the level above (length and share, then
share alone, then all). With m the model's certainty,

    logit λ' = a logit λ + b logit(1 − m) + c.

The cases are those of the model's own file, counted on packages that it never saw, and those of the
workspace, where each file is left out in turn (:mod:`completion.workspace.leave_one_out`). a, b and c
need the model and come with it (:mod:`completion.workspace.trust`). A fit never changes.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from completion.errors import CaretError
from completion.workspace.index import REACH

FORMAT = 1
"""The version of ``workspace.json`` that is read here."""
FILE = "workspace.json"
"""What lies beside a model's weights."""
SHARES = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0 - 1e-9)
"""Between these lie the buckets of the favourite's share; the last is of favourites without rivals."""
COUNTS = 6
"""Buckets of counts: 1, 2 to 3, 4 to 7, 8 to 15, 16 to 31, more."""
BUCKETS = REACH * (len(SHARES) + 1) * COUNTS
_SHAPE = (REACH, len(SHARES) + 1, COUNTS)
BACKING = 10.0
"""Cases that the level above counts as in each bucket: α."""
PRIOR_CASES = 8000.0
"""Cases that a model's own table counts as beside a workspace's."""
MOST = 20.0
"""No a, b or c is larger: λ' stays off 0 and 1 by more than a float64 can tell."""


def bucket(length: int, share: float, seen: float) -> int:
    """Return the bucket of a match, 0 to :data:`BUCKETS` − 1."""
    count = min(COUNTS, max(1, int(seen)).bit_length()) - 1
    at_length = min(REACH, max(1, length)) - 1
    return (at_length * (len(SHARES) + 1) + bisect_right(SHARES, share)) * COUNTS + count


class Tally:
    """Cases and hits by bucket, while they are being counted."""

    def __init__(self) -> None:
        self.hits: NDArray[np.float64] = np.zeros(BUCKETS)
        self.cases: NDArray[np.float64] = np.zeros(BUCKETS)

    def add(self, at: int, hit: bool) -> None:
        """Count a case of the bucket ``at``."""
        self.cases[at] += 1
        self.hits[at] += hit


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """λ' as a function of a match and of the model's certainty.

    Raises CaretError where the numbers cannot be those of a fit; its message says which.
    """

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0
    hits: tuple[float, ...] = (0.0,) * BUCKETS
    """Cases in which the favourite was right, by bucket."""
    cases: tuple[float, ...] = (0.0,) * BUCKETS
    """Cases by bucket."""
    version: str = field(init=False)
    """Twelve hexadecimal digits; equal for equal numbers."""
    _r: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _rates: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _refuse_wrong(self)
        rates = _rates(np.array(self.hits), np.array(self.cases))
        object.__setattr__(self, "_rates", tuple(rates.tolist()))
        odds = np.log(rates)
        against = np.log(_rates(np.subtract(self.cases, self.hits), np.array(self.cases)))
        object.__setattr__(self, "_r", tuple((self.a * (odds - against) + self.c).tolist()))
        digest = blake2b(self._numbers().encode(), digest_size=6)
        object.__setattr__(self, "version", digest.hexdigest())

    def terms(self, length: int, share: float, seen: float) -> tuple[float, float]:
        """Return r and b of logit λ' = r + b logit(1 − m) for a match."""
        return self._r[bucket(length, share, seen)], self.b

    def weight(self, length: int, share: float, seen: float, certainty: float) -> float:
        """Return λ' for a match and the model's certainty, 0 < m < 1."""
        r, b = self.terms(length, share, seen)
        return 1.0 / (1.0 + math.exp(-r - b * math.log((1.0 - certainty) / certainty)))

    @property
    def rates(self) -> list[float]:
        """λ by bucket."""
        return list(self._rates)

    def rate(self, length: int, share: float, seen: float) -> float:
        """Return λ for a match."""
        return self._rates[bucket(length, share, seen)]

    def on(self, counted: Tally) -> Fit:
        """Return the fit of a workspace: its own cases, and this table as a few of them."""
        scale = min(1.0, PRIOR_CASES / max(1.0, sum(self.cases)))
        hits = np.array(self.hits) * scale + counted.hits
        cases = np.array(self.cases) * scale + counted.cases
        return replace(self, hits=tuple(hits.tolist()), cases=tuple(cases.tolist()))

    def _numbers(self) -> str:
        tree = {"format": FORMAT, "a": self.a, "b": self.b, "c": self.c}
        return json.dumps({**tree, "hits": self.hits, "cases": self.cases})

    def to_json(self, made_from: Mapping[str, Any] | None = None) -> str:
        """Return it as JSON; ``made_from`` goes along unread: packages, checksum of the weights."""
        tree = json.loads(self._numbers())
        if made_from:
            tree["made_from"] = dict(made_from)
        return json.dumps(tree)

    @classmethod
    def from_json(cls, text: str | bytes) -> Fit:
        """Return the fit that :meth:`to_json` wrote.

        Raises:
            CaretError: it did not write this; one line.
        """
        try:
            tree: Any = json.loads(text)
        except ValueError as error:
            raise CaretError(f"not JSON ({error})") from None
        if not isinstance(tree, dict):
            raise CaretError("no JSON object")
        found = cast("dict[str, Any]", tree)
        if found.get("format") != FORMAT:
            raise CaretError(f"format {found.get('format')!r}, {FORMAT} is known")
        numbers = {name: _number(found, name) for name in ("a", "b", "c")}
        return cls(**numbers, hits=_table(found, "hits"), cases=_table(found, "cases"))


def load_fit(folder: Path, *, otherwise: Path | None = None) -> Fit:
    """Return the fit that lies beside a model; without one that in ``otherwise``, or the plain form.

    Raises:
        CaretError: the file is there and cannot be read; one line that names it.
    """
    for place in (folder, otherwise):
        path = None if place is None else place / FILE
        if path is None or not path.is_file():
            continue
        try:
            return Fit.from_json(path.read_bytes())
        except (OSError, CaretError) as error:
            raise CaretError(f"{path} cannot be read ({error}); fetch the model again") from None
    return Fit()


def _rates(hits: NDArray[np.float64], cases: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the posterior of every bucket, shape (BUCKETS,), within 0 and 1.

    Prior of everything: Beta(1, 1).
    """
    h, n = hits.reshape(_SHAPE), cases.reshape(_SHAPE)
    prior = np.full((1, 1, 1), (h.sum() + 1.0) / (n.sum() + 2.0))
    for axes in ((0, 2), (2,), ()):
        above, below = h.sum(axes, keepdims=True), n.sum(axes, keepdims=True)
        prior = (above + BACKING * prior) / (below + BACKING)
    return prior.ravel()


def _refuse_wrong(fit: Fit) -> None:
    for name in ("a", "b", "c"):
        value: float = getattr(fit, name)
        if not abs(value) <= MOST:  # NaN too
            raise CaretError(f"{name} is {value}, at most {MOST:g} is allowed")
    if len(fit.hits) != BUCKETS or len(fit.cases) != BUCKETS:
        raise CaretError(f"hits and cases have {len(fit.hits)} and {len(fit.cases)} of {BUCKETS}")
    for at, (hits, cases) in enumerate(zip(fit.hits, fit.cases, strict=True)):
        if not 0.0 <= hits <= cases < math.inf:
            raise CaretError(f"bucket {at} has {hits} hits in {cases} cases")


def _number(tree: Mapping[str, Any], name: str) -> float:
    value = tree.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CaretError(f"{name} is no number")
    return float(value)


def _table(tree: Mapping[str, Any], name: str) -> tuple[float, ...]:
    value = tree.get(name)
    if not isinstance(value, list):
        raise CaretError(f"{name} is no list")
    rows: Iterable[Any] = cast("list[Any]", value)
    return tuple(_number({name: row}, name) for row in rows)
