"""Which licences allow source to be trained on: permissive ones, recorded, or refused with why.

Pure: what a package or a folder says of itself in, a decision out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PERMISSIVE = frozenset(
    """MIT MIT-0 MIT-CMU HPND BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear 0BSD Apache-2.0 ISC Zlib
    PSF-2.0 Python-2.0 Python-2.0.1 CNRI-Python Unlicense CC0-1.0 BSL-1.0 LLVM-exception NCSA
    BSD-4-Clause-UC blessing Unicode-3.0 Unicode-DFS-2016 ZPL-2.1 bzip2-1.0.6 X11""".upper().split()
)
"""SPDX identifiers (and one exception) that ask for no more than a notice."""

_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "Zope Public License": "ZPL-2.1",
}
_WORDS = (
    ("Apache-2.0", r"apache( software)?( license)?,?[ -]*(version )?(2(\.0)?)?( license)?"),
    ("MIT", r"(the )?(mit|expat)([ -]license)?"),
    ("BSD-3-Clause", r"(new |modified |3[- ]clause )?bsd([- ]3([- ]clause)?)?([ -]licen[cs]e)?"),
    ("BSD-2-Clause", r"(2[- ]clause |simplified )?bsd([- ]2([- ]clause)?)?([ -]licen[cs]e)?"),
    ("PSF-2.0", r"psf(-2\.0|l)?|python software foundation license"),
    ("ISC", r"isc([ -]license)?"),
    ("Unlicense", r"unlicense"),
)
_TEXTS = (
    ("MIT", r"permission is hereby granted, free of charge"),
    ("BSD-3-Clause", r"redistribution and use in source and binary forms.*neither the name"),
    ("BSD-2-Clause", r"redistribution and use in source and binary forms"),
    ("Apache-2.0", r"apache license,? version 2\.0"),
    ("ISC", r"permission to use, copy, modify, and(/or)? distribute this software for any purpose"),
    ("Unlicense", r"free and unencumbered software released into the public domain"),
    ("CC0-1.0", r"cc0 1\.0 universal"),
    ("BSL-1.0", r"boost software license - version 1\.0"),
    ("Zlib", r"provided 'as-is', without any express or implied warranty"),
)
_RESTRICTED = re.compile(
    r"\b[al]?gpl|mozilla public|general public licen[cs]e|commons clause|business source license|"
    r"server side public|non-?commercial|share-?alike|eclipse public|european union public"
)
"""What a text that also has the words of a permissive licence may restrict it by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Licence:
    """A decision: ``name`` as an SPDX expression, ``allowed``, and why not where it is not."""

    name: str
    allowed: bool
    reason: str = ""


def judge(expression: str, classifiers: list[str], text: str) -> Licence:
    """Decide from metadata: ``License-Expression``, licence classifiers, ``License``.

    They are asked in this order; a later one counts only where the earlier ones say nothing.
    """
    if expression.strip():
        return _judge_expression(expression.strip())
    named = [c.split("::")[-1].strip() for c in classifiers if c.startswith("License")]
    named = [c for c in named if c != "OSI Approved"]
    if named:
        unknown = [c for c in named if c not in _CLASSIFIERS]
        if unknown:
            return Licence(name=unknown[0], allowed=False, reason=f"licence {unknown[0]!r}")
        return Licence(name=" OR ".join(_CLASSIFIERS[c] for c in named), allowed=True)
    return _judge_text(text)


def _judge_text(text: str) -> Licence:
    words = " ".join(text.lower().split()).strip(" .\"'")
    if not words:
        return Licence(name="", allowed=False, reason="no licence in its metadata")
    if len(words) < 60:
        for name, pattern in _WORDS:
            if re.fullmatch(pattern, words):
                return Licence(name=name, allowed=True)
        return _judge_expression(text.strip())
    restricted = _RESTRICTED.search(words)
    if restricted:
        reason = f"a licence text that says {restricted[0]!r}"
        return Licence(name="restricted", allowed=False, reason=reason)
    for name, pattern in _TEXTS:
        if re.search(pattern, words):
            return Licence(name=name, allowed=True)
    return Licence(name="unknown", allowed=False, reason="a licence text that is not recognised")


def _judge_expression(expression: str) -> Licence:
    """An SPDX expression: every part of an AND must be permissive, one part of an OR.

    Parentheses are read cautiously: with both operators in one expression all parts must be.
    """
    parts = [p for p in re.split(r"[\s()]+|/", expression) if p]
    names = [p for p in parts if p.upper() not in {"AND", "OR", "WITH"}]
    good = [p.upper() in PERMISSIVE for p in names]
    mixed = "AND" in (p.upper() for p in parts)
    allowed = all(good) if mixed else any(good)
    if allowed and names:
        return Licence(name=expression, allowed=True)
    bad = next((n for n, ok in zip(names, good, strict=True) if not ok), expression)
    return Licence(name=expression, allowed=False, reason=f"licence {bad!r} is not permissive")
