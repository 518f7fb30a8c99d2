"""Why there is no candidate: every value of ``declined`` on the wire, in one place.

They are labels of the metric ``caret_declined``, so they are few and never hold text.
"""

from __future__ import annotations

from collections.abc import Mapping

from completion.filters.stop_rule import StopReason

REASONS: Mapping[str, str] = {
    "filtered:special_tokens": "the model wrote nothing but sentinels",
    "filtered:characters": "the text began with half a character, or with bytes that are no text",
    "filtered:repetition": "the text went in circles from its start",
    "filtered:suffix_overlap": "all of it is behind the cursor already",
    "filtered:balance": "it only opened what nothing closes",
    "filtered:closers": "it only closed what is closed already",
    "filtered:torn_character": "it would have torn the character that the cursor is inside of",
    "filtered:duplicate_line": "the lines above or below say the same",
    "filtered:scope": "it left the scope of the cursor at once",
    "filtered:blank": "the model wrote nothing, or only blanks",
    "filtered:eol": "the cursor is inside a line end, and text of that line cannot go there",
    "too_short": "too little to be worth a look (generation.min_chars)",
}
"""Reason to one sentence for people."""

_OF_STOPS = {
    StopReason.SUFFIX: "filtered:suffix_overlap",
    StopReason.REPETITION: "filtered:repetition",
    StopReason.SCOPE: "filtered:scope",
}


def of_stop(stop: StopReason) -> str:
    """Return the reason where the stop rule has left nothing of what the model wrote."""
    return _OF_STOPS.get(stop, "filtered:blank")


def of_filter(module: str) -> str:
    """Return the reason of a filter by the name of its module."""
    return f"filtered:{module.rpartition('.')[2]}"
