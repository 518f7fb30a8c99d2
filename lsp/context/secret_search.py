"""The search for secrets in one text: pure, and linear in the text's length.

Patterns as they are written for one line take quadratic time on a line of megabytes; here each sees
only a piece around a hint, or what it can match is of bounded length.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.cloudant import CloudantDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.ibm_cloud_iam import IbmCloudIamDetector
from detect_secrets.plugins.ibm_cos_hmac import IbmCosHmacDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.softlayer import SoftlayerDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

from lsp.context.secret_kinds import OWN, REACH, Kind, is_random

_PLUGINS: tuple[tuple[type[RegexBasedDetector], str], ...] = (
    (ArtifactoryDetector, "AKC"),
    (AWSKeyDetector, "A3T ABIA ACCA AKIA ASIA aws"),
    (AzureStorageKeyDetector, "accountkey="),
    (CloudantDetector, "cloudant"),
    (DiscordBotTokenDetector, ""),
    (GitHubTokenDetector, "ghp_ gho_ ghu_ ghs_ ghr_"),
    (GitLabTokenDetector, "glpat- gldt- glft- glsoat- glrt- gr1348941 glcbt- glimt- glptt- glagent- gloas-"),
    (IbmCloudIamDetector, "ibm bluemix"),
    (IbmCosHmacDetector, "cos ibm"),
    (MailchimpDetector, "-us"),
    (NpmDetector, ":_authtoken="),
    (OpenAIDetector, "t3blbkfj"),
    (PypiTokenDetector, "pypi-age"),
    (SendGridDetector, "sg."),
    (SlackDetector, "xox hooks.slack.com"),
    (SoftlayerDetector, "softlayer"),
    (SquareOAuthDetector, "sq0csp-"),
    (StripeDetector, "k_live_"),
    (TwilioKeyDetector, ""),
)  # fmt: skip
"""detect-secrets' detectors of one issuer's keys, with what each key has in it or beside it. Left
out are those that want a call to the network to be right, those for high entropy, for any word with
"password" near it (see :data:`lsp.context.secret_kinds.OWN`), and for public addresses."""

_TOKEN = re.compile(r"[0-9A-Za-z_+/=.~-]*")
PIECE = 1 << 15
"""Characters that a pattern without hints is given at a time: a match holds the interpreter."""
NAMES_PIECE = 1 << 13
"""The same for the patterns of names, which are slower and shorter than :data:`REACH`."""
SHORTEST_GROUP = 16
"""A shorter group of a detector's pattern is part of a key, as its prefix is, and not the key."""


def search(text: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of each secret in ``text``, in order, none within another."""
    shown = text.decode("latin-1")  # a character a byte
    lower = text.lower().decode("latin-1")
    named: dict[re.Pattern[str], list[tuple[int, int]]] = {}
    found: list[tuple[int, int, str]] = []
    for kind in kinds():
        if kind.near is None:
            places = _places(kind, shown, lower if kind.any_case else shown)
        else:
            if kind.near not in named:
                named[kind.near] = list(_names(kind.near, lower))
            places = _behind_names(kind, shown, named[kind.near])
        found += ((start, -end, kind.name) for start, end in places)
    behind = 0
    for start, negative_end, name in sorted(found):
        if -negative_end > behind:
            yield name, max(start, behind), -negative_end
            behind = -negative_end


@functools.cache
def kinds() -> tuple[Kind, ...]:
    """Return all kinds that are looked for."""
    theirs = (
        Kind(
            name=str(plugin.secret_type),
            is_ours=False,
            pattern=pattern,
            hints=tuple(hints.lower().split()),
            any_case=True,
            convinces=_is_no_word,
        )
        for plugin, hints in _PLUGINS
        for pattern in plugin.denylist  # pyright: ignore[reportGeneralTypeIssues]: a class attribute
    )
    return (*theirs, *OWN)


def _is_no_word(value: str) -> bool:
    return len(set(value)) > 5 and (is_random(value) or len(value) < 16 or not value.isalpha())


def _places(kind: Kind, shown: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where ``kind`` is found; ``text`` is where its hints are."""
    for start, end in _pieces(kind, text):
        for match in kind.pattern.finditer(shown, start, end):
            if (span := _convincing(kind, shown, match)) is not None:
                yield span


def _pieces(kind: Kind, text: str) -> Iterator[tuple[int, int]]:
    """Yield the pieces in which a secret of this kind may be; they meet, but do not overlap."""
    if not kind.hints:
        for start in range(0, len(text), PIECE):
            yield max(start - REACH, 0), min(start + PIECE, len(text))
        return
    around: list[tuple[int, int]] = []
    for hint in kind.hints:
        at = text.find(hint)
        while at >= 0:
            end = at + len(hint)
            around.append((max(at - kind.before, 0), min(end + kind.behind, len(text))))
            at = text.find(hint, end)
    around.sort()
    last = (0, 0)
    for start, end in around:
        if start <= last[1]:
            last = (last[0], max(end, last[1]))
            continue
        yield last
        last = (start, end)
    yield last


def _names(near: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where ``near`` is in ``text``, read in pieces: all in one it would hold the interpreter
    for a tenth of a second in a long file."""
    behind = 0
    for start in range(0, len(text), NAMES_PIECE):
        end = start + NAMES_PIECE
        for match in near.finditer(text, max(start, behind), end + REACH):
            if match.start() >= end:
                break
            behind = match.end()
            yield match.span()


def _behind_names(
    kind: Kind, shown: str, names: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield where ``kind`` is found right behind names."""
    for start, end in names:
        match = kind.pattern.match(shown, end)
        if match is None or (span := _convincing(kind, shown, match)) is None:
            continue
        if kind.preceded is None or kind.preceded.search(shown[max(start - REACH, 0) : start]):
            yield span


def _convincing(kind: Kind, shown: str, match: re.Match[str]) -> tuple[int, int] | None:
    """Return where in a match the secret is, or None where it is none."""
    groups = map(match.span, range(1, kind.pattern.groups + 1))
    span = max(groups, key=_length, default=(-1, -1))
    if _length(span) < SHORTEST_GROUP and (kind.pattern.groups == 0 or not kind.is_ours):
        span = match.span()
    if not kind.convinces(shown[slice(*span)]):
        return None
    rest = _TOKEN.match(shown, span[1]) if shown[span[1] - 1] not in "-\n" else None
    return span[0], rest.end() if rest else span[1]


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]
