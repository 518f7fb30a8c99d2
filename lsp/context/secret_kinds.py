"""Kinds of secrets, each by its pattern and by the texts around which it is looked for.

Most patterns are detect-secrets' own. Added here are keys of issuers that it does not know, whole
private keys where it knows their first lines, and values that a name gives away: ``password = "…"``.
All patterns are of text as Latin-1, so that a place in it is a byte.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 300
"""So many characters of a key are matched; what follows without a break is part of it."""
REACH = 256
"""Most characters before and behind a hint that one secret's pattern is given, unless it says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What one pattern finds: its last group where it has groups, else all of it."""

    name: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    """One of them is in every secret of this kind, or right before it. None: it is tried everywhere."""
    near: re.Pattern[str] | None = None
    """In place of :attr:`hints`: the pattern is tried right behind what this finds, of text in lower
    case."""
    preceded: re.Pattern[str] | None = None
    """What is found in the :data:`REACH` characters before that, where it matters."""
    before: int = REACH
    behind: int = REACH
    is_ours: bool = True
    """Whether a group, where there is one, is the secret, however short: detectors of others have
    groups for what a key begins with."""
    any_case: bool = False
    """Whether hints, in lower case here, may be spelled in any case."""
    convinces: Callable[[str], bool] = bool
    """Tells a secret from what only looks like one."""


def _kind(name: str, hints: str, pattern: str, **others: object) -> Kind:
    # Bounded: without an end a repetition takes quadratic time on a line made to do harm.
    pattern = re.sub(r"\{(\d+),\}", rf"{{\1,{LONGEST}}}", pattern)
    return Kind(name=name, pattern=re.compile(pattern), hints=tuple(hints.split()), **others)  # type: ignore[arg-type]


def is_random(value: str) -> bool:
    """Tell whether ``value`` looks drawn and not written: digits among letters, few repetitions."""
    if len(value) < 16 or not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
        return False
    return entropy(value) > 3.0


def entropy(value: str) -> float:
    """Return the bits per character that ``value``'s own frequencies leave."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


_WORDS = re.compile(
    r"[a-z]*(?:password|passwd|secret|token|changeme|example|placeholder|redacted|dummy|sample|test"
    r"|your|none|null|true|false|string|optional|required)[a-z_. -]*|x+|\*+|\.+",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"[$%]?[{<(\[].*|\$\w+|%\w+%?|.*[{}<>()\[\]].*|[a-z]+(?:[._/-][a-z]+)+|[A-Z]+(?:_[A-Z]+)*"
    r"|https?://.*|[./~].*/.*|[a-z]+(?::[a-z_-]+)+:?",
)


_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def is_password(value: str) -> bool:
    """Tell whether the value that a name calls a secret is one, and not a word or a reference."""
    if len(set(value)) < 4 or _WORDS.fullmatch(value) or _REFERENCE.fullmatch(value):
        return False
    if value.isdigit():
        return len(value) >= 6
    # A name or a word of a message has neither a digit nor such a sign in it.
    return bool(re.search(r"\d|[!@#$%^&*?+=]", value)) and not value.endswith("...")


_QUOTED = r"""(?:b|r|f|@|L|u8?)?["'`]([^"'`\s\\]{6,200})["'`]"""
NAMED = re.compile(
    r"passw(?:or)?d|passphrase|(?<![a-z])pwd|secret|token(?!iz)|credential"
    r"|(?:api|auth|access|private|client|encryption|signing|account)[_-]?key"
)
"""The part of a name, in lower case, that says that what is called so is secret."""

OWN: tuple[Kind, ...] = (
    _kind(
        "private key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----END)[\s\S])*(?:-----END[A-Z0-9 ]*-----)?",
        before=0,
        behind=1 << 15,
    ),
    _kind("PuTTY key", "PuTTY-User-Key-File", r"PuTTY-User-Key-File-[23]:[\s\S]*", before=0, behind=1 << 14),
    _kind("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{40,}"),
    _kind("GitHub token", "github_pat_", r"github_pat_[0-9A-Za-z_]{22,}"),
    _kind("GitLab token", "glpat-", r"glpat-[0-9A-Za-z_.-]{20,}"),
    _kind("Google API key", "AIza", r"AIza[0-9A-Za-z_-]{35}"),
    _kind("Google OAuth secret", "GOCSPX-", r"GOCSPX-[0-9A-Za-z_-]{20,}"),
    _kind("Google OAuth token", "ya29.", r"ya29\.[0-9A-Za-z_-]{20,}"),
    _kind("OpenAI key", "sk-", r"(?<![0-9A-Za-z_-])sk-(?:proj-|svcacct-|admin-|or-v1-)?[0-9A-Za-z_-]{32,}",
          convinces=is_random),
    _kind("Anthropic key", "sk-ant-", r"sk-ant-[0-9A-Za-z_-]{24,}"),
    _kind("Hugging Face token", "hf_", r"(?<!\w)hf_[0-9A-Za-z]{30,}"),
    _kind("Stripe key", "_live_ _test_ whsec_",
          r"(?<!\w)(?:(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/=]{24,})"),
    _kind("Slack token", "xox xapp-", r"(?:xox[abcdeoprs]|xapp|xoxe\.xox[bp])-(?:\d-)?[0-9A-Za-z-]{10,}"),
    _kind("npm token", "npm_", r"(?<!\w)npm_[0-9A-Za-z]{36}"),
    _kind("DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _kind("Shopify token", "shp", r"(?<!\w)shp(?:at|ca|pa|ss|tka)_[0-9a-fA-F]{32}"),
    _kind("Databricks token", "dapi", r"(?<!\w)dapi[0-9a-f]{32}(?:-\d)?"),
    _kind("Square token", "sq0 EAAA",
          r"(?<!\w)(?:sq0(?:atp|csp|idp)-[0-9A-Za-z_-]{22,}|EAAA[0-9A-Za-z_-]{60})"),
    _kind("Telegram token", ":AA", r"(?<!\d)\d{8,10}:AA[0-9A-Za-z_-]{33}"),
    _kind("Vault token", "hvs. hvb.", r"(?<!\w)hv[sb]\.[0-9A-Za-z_-]{24,}"),
    _kind("Linear key", "lin_api_", r"lin_api_[0-9A-Za-z]{40}"),
    _kind("New Relic key", "NRAK- NRII-", r"NR(?:AK|II)-[0-9A-Z_-]{27,}"),
    _kind("Mailgun key", "key-", r"(?<![\w-])key-[0-9a-f]{32}"),
    _kind("Azure secret", "8Q~ 7Q~", r"(?<![\w~.-])[0-9A-Za-z_~.-]{3}[78]Q~[0-9A-Za-z_~.-]{31,34}"),
    _kind("Azure signature", "sig=", r"[?&]sig=([0-9A-Za-z%/+]{40,}={0,2})"),
    _kind("Sentry token", "sntrys_ sntryu_", r"sntry[su]_[0-9A-Za-z_=+/-]{40,}"),
    _kind("Docker Hub token", "dckr_pat_", r"dckr_pat_[0-9A-Za-z_-]{27,}"),
    _kind("Grafana token", "glsa_ glc_", r"(?<!\w)(?:glsa|glc)_[0-9A-Za-z_+/=]{32,}"),
    _kind("Webhook", "hooks.slack.com/ discord.com/api/webhooks/ discordapp.com/api/webhooks/",
          r"(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)([0-9A-Za-z/_-]{20,})"),
    _kind("JSON web token", "eyJ",
          r"eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*)?"),
    _kind("authorization", "authorization bearer",
          r"(?i:\bauthorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+|\bbearer\s+)"
          r"([0-9A-Za-z._~+/=-]{16,})",
          any_case=True, convinces=is_random),
    _kind("password in an address", "://", r"://[^\s:/@\"'{}$<>]*:([^\s:/@\"'{}$<>*]{3,128})@", before=0,
          convinces=lambda value: not _WORDS.fullmatch(value)),
    Kind(
        name="named secret",  # password = "...", token: str = "...", {"secret": "..."}
        pattern=re.compile(
            r"[\w-]{0,40}[\"'`\]]{0,2}\s{0,80}"
            rf"(?::[ \t]{{0,4}}[\w.<>\[\]| ]{{1,40}}=|:=|=>|[:=(]|[!=]==?)\s{{0,80}}{_QUOTED}"
        ),
        near=NAMED,
        convinces=is_password,
    ),
    Kind(
        name="named secret",  # setenv("TOKEN", "...")
        pattern=re.compile(rf"[\w-]{{0,40}}[\"'`]\s{{0,80}},\s{{0,80}}{_QUOTED}"),
        near=NAMED,
        preceded=re.compile(r"\(\s{0,40}[\"'`][\w.-]{0,40}\Z"),
        convinces=is_password,
    ),
    Kind(
        name="named secret",  # a line of a settings file: PASSWORD=...
        pattern=re.compile(
            r"[\w-]{0,40}[ \t]{0,20}[:=][ \t]{0,20}([^\s\"'`,;]{8,200})[ \t]{0,20}(?=\r?\n|\Z)"
        ),
        near=NAMED,
        preceded=re.compile(r"(?:\A|\n)[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]{0,40}\Z"),
        convinces=lambda value: (
            is_password(value) and is_random(value) and not _ATTRIBUTE.fullmatch(value)
        ),
    ),
)  # fmt: skip
"""Kinds that are added to detect-secrets'. Bare values count only where they look random."""
