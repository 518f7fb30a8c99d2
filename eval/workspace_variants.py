"""The workspace's model taken apart, and as a drafter, in the readings of :mod:`eval.workspace_law`.

Each file's logits are had once and mixed in each variant's way. A drafter is measured as speculative
decoding would use it (Leviathan et al., ICML 2023): it proposes tokens, those that came are accepted up
to the first that did not, and one more comes of the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from completion.workspace.fit import Fit
from completion.workspace.match import Match, Matcher
from completion.workspace.mix import Mixer, Weigher
from completion.workspace.store import Store
from completion.workspace.workspaces import DOCUMENT_WEIGHT, LONGEST
from eval.workspace_law import LONGEST as MOST_READ
from eval.workspace_law import Figures, Ids, Logits, Package

DRAFTS = (4, 8)
"""Tokens that are proposed at a time."""
CONSTANTS = (0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class Constant:
    """The same λ' everywhere."""

    weight: float

    def terms(self, length: int, share: float, seen: float) -> tuple[float, float]:
        """Return what makes λ' that constant, whatever matches."""
        return math.log(self.weight / (1.0 - self.weight)), 0.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to match and to mix."""

    weigher: Weigher
    longest: int = LONGEST
    document_weight: float = DOCUMENT_WEIGHT


@dataclass(slots=True)
class Drafted:
    """What a drafter of some length brought."""

    steps: int = 0
    """Of a model that checks what is proposed."""
    tokens: int = 0
    """That came in them."""
    proposed: int = 0
    accepted: int = 0

    def table(self) -> dict[str, float]:
        """Return tokens a step, and the share of what was proposed that came."""
        return {
            "tokens_per_step": self.tokens / max(1, self.steps),
            "accepted_per_step": self.accepted / max(1, self.steps),
            "accepted_share": self.accepted / max(1, self.proposed),
        }


def variants(own: Fit, model: Fit) -> dict[str, Variant]:
    """Return the ways that are compared: ``own`` is the workspace's fit, ``model`` the model's own."""
    ways = {"as served": Variant(own)}
    ways |= {f"longest match {n}": Variant(own, longest=n) for n in (2, 4)}
    ways |= {f"document counts {n}": Variant(own, document_weight=n) for n in (1, 4)}
    ways["not fitted to the workspace"] = Variant(model)
    ways["a = b = 1, c = 0"] = Variant(replace(own, a=1.0, b=1.0, c=0.0))
    ways |= {f"constant {weight}": Variant(Constant(weight)) for weight in CONSTANTS}
    return ways


def compare(
    package: Package, logits: Logits, kept: Sequence[int], ways: Mapping[str, Variant]
) -> dict[str, dict[str, float]]:
    """Return top-1 accuracy and bits per byte of each way, over the files that are read."""
    mixer, store = Mixer(kept, len(package.vocabulary)), package.store(without_read=False)
    sizes = torch.tensor([len(text) for text in package.vocabulary.token_bytes])
    found = {name: Figures() for name in ways}
    for path in package.read:
        ids = package.ids[path][:MOST_READ]
        rows, came = logits(ids)[1:], torch.from_numpy(ids[1:])
        for name, way in ways.items():
            matches = _matches(store, path, ids, way)
            figures = found[name]
            figures.tokens += len(came)
            figures.text_bytes += int(sizes[came].sum())
            mixed = rows.clone()
            mixer.mix(mixed, matches, [way.weigher] * len(matches))
            figures.add("mixed", mixed, came)
    return {
        name: {
            "top1": figures.right["mixed"] / figures.tokens,
            "bits_per_byte": figures.bits["mixed"] / figures.text_bytes,
        }
        for name, figures in found.items()
    }


def draft(package: Package, size: int) -> Drafted:
    """Return what the store alone would have brought as a drafter of ``size`` tokens."""
    store, drafted = package.store(without_read=False), Drafted()
    for path in package.read:
        ids = package.ids[path][:MOST_READ].tolist()
        matcher = Matcher(store.view(without=path), ids[:1])
        at = 1
        while at < len(ids):
            proposed = _proposed(matcher, size)
            accepted = 0
            while accepted < len(proposed) and at + accepted < len(ids):
                if proposed[accepted] != ids[at + accepted]:
                    break
                accepted += 1
            came = ids[at : at + accepted + 1]
            drafted.steps += 1
            drafted.proposed += len(proposed)
            drafted.accepted += accepted
            drafted.tokens += len(came)
            matcher.extend(came)
            at += len(came)
    return drafted


def _proposed(matcher: Matcher, size: int) -> list[int]:
    length = len(matcher)
    proposed: list[int] = []
    while len(proposed) < size and (match := matcher.find()) is not None:
        proposed.append(match.favourite)
        matcher.append(proposed[-1])
    matcher.cut(length)
    return proposed


def _matches(store: Store, path: str, ids: Ids, way: Variant) -> list[Match | None]:
    matcher = Matcher(
        store.view(without=path), longest=way.longest, document_weight=way.document_weight
    )
    found: list[Match | None] = []
    for token in ids[:-1].tolist():
        matcher.append(token)
        found.append(matcher.find())
    return found
