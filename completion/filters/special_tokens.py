"""Sentinels that a model spells out as text end the candidate there: none reaches an editor."""

from __future__ import annotations

import re

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft

MAX_BYTES = 64
"""No sentinel is longer; text is searched again this far back when more of it comes."""

SENTINEL = re.compile(
    rb"<\|[A-Za-z][A-Za-z0-9_./-]{0,50}\|>"  # Qwen, CodeGemma, Granite 4, CodeGeeX, Llama 3
    rb"|<fim[_-](?:prefix|suffix|middle|pad)>"  # StarCoder, SantaCoder
    rb"|<(?:file_sep|repo_name|reponame|gh_stars|jupyter_start|jupyter_end|issue_start)>"
    rb"|<\xef\xbd\x9c[^\n<>]{1,50}\xef\xbd\x9c>"  # DeepSeek, between full-width bars
    rb"|<\[fim-(?:prefix|suffix|middle)\]>"  # Seed-Coder
    rb"|[ ]?<(?:PRE|SUF|MID|EOT)>"  # Code Llama
    rb"|\[(?:PREFIX|SUFFIX|MIDDLE)\]"  # Codestral
)


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut the text at the first sentinel."""
    found = SENTINEL.search(draft.text)
    text = draft.text[: found.start()] if found else draft.text
    return Draft(text=text, replace_after=draft.replace_after)
