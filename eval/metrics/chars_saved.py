"""What a completion saves a typist: characters, and keystrokes. Pairs, pooled over files."""

from __future__ import annotations


def chars_saved(characters: int, accepted: int) -> tuple[float, float]:
    """Return the characters that accepted completions brought, and all characters of the text.

    Only what is in the final text counts as accepted; what was taken and deleted again does not.

    Raises:
        ValueError: not 0 ≤ accepted ≤ characters.
    """
    if not 0 <= accepted <= characters:
        raise ValueError(f"{accepted} of {characters} characters cannot be accepted")
    return float(accepted), float(characters)


def keystrokes_saved(characters: int, pressed: int) -> tuple[float, float]:
    """Return the keystrokes saved, and those of typing every character.

    ``pressed`` has every key: characters typed, keys that accepted, keys that took back. It may be
    more than ``characters``; the first of the pair is then negative, and rightly so.

    Raises:
        ValueError: a number is negative.
    """
    if characters < 0 or pressed < 0:
        raise ValueError(f"{pressed} keystrokes for {characters} characters")
    return float(characters - pressed), float(characters)
