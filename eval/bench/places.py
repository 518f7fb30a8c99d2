"""Cursors in real files with the prompts that the service makes of them, for peers that take tokens."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from completion.engine.checkpoint import Checkpoint
from completion.prompt.views import DocumentView

_SOURCES = Path(__file__).parents[2] / "completion"
TYPED = _SOURCES / "server" / "completer.py"
"""The file that is typed."""
_LEAST_BYTES = 8000
"""Of a file in which places are looked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor, and the prompt that the service makes of it."""

    path: str
    prefix: bytes
    suffix: bytes
    prompt: list[int]


class Places:
    """Cursors in Caret's own sources, each time others, so that no prompt is cached.

    ``answer_tokens``: how many the prompts leave room for; ``layout``: not the model's own.
    """

    def __init__(
        self, checkpoint: Checkpoint, answer_tokens: int, rng: random.Random, *, layout: str = ""
    ) -> None:
        self._answer_tokens = answer_tokens
        self._builder = checkpoint.prompt_builder(layout=layout)
        self._rng = rng
        texts = {path: path.read_bytes() for path in sorted(_SOURCES.rglob("*.py"))}
        self._texts = {path: text for path, text in texts.items() if len(text) > _LEAST_BYTES}

    def of(self, tokens: int) -> Place:
        """Return a place of which the prompt has ``tokens`` tokens or a few less.

        A quarter of it is of the text after the cursor.
        """
        while True:
            path = self._rng.choice(list(self._texts))
            text = self._texts[path]
            at = self._rng.randrange(len(text))
            low, high, best = 64, 16 * tokens, None
            while low <= high:  # the window of most bytes that keeps within it
                size = (low + high) // 2
                before = text[max(0, at - size + size // 4) : at]
                place = self._place(path.name, before, text[at : at + size // 4])
                if len(place.prompt) <= tokens:
                    best, low = place, size + 1
                else:
                    high = size - 1
            if best is not None and len(best.prompt) > 0.95 * tokens:
                return best

    def typing(self, keys: int) -> list[Place]:
        """Return the places of ``keys`` keys typed in the middle of a real file, in their order."""
        text = TYPED.read_bytes()
        return self._keys(TYPED.name, text, text.index(b"\n", len(text) // 2) + 1, keys)

    def typing_somewhere(self, keys: int) -> list[Place]:
        """Return the places of ``keys`` keys typed anywhere in any file."""
        path = self._rng.choice(list(self._texts))
        text = self._texts[path]
        begin = self._rng.randrange(len(text) // 4, len(text) - 4 * keys)
        return self._keys(path.name, text, begin, keys)

    def _keys(self, name: str, text: bytes, at: int, keys: int) -> list[Place]:
        """Return the cursors behind ``keys`` keys; what is typed is not there yet, all else is."""
        cursors: list[int] = []
        while len(cursors) < keys:
            at += 1
            while text[at : at + 1] in (b" ", b"\n"):  # the editor indents
                at += 1
            cursors.append(at)
        end = text.find(b"\n", at)
        suffix = text[end:] if end >= 0 else b""
        return [self._place(name, text[:cursor], suffix) for cursor in cursors]

    def _place(self, path: str, prefix: bytes, suffix: bytes) -> Place:
        view = DocumentView(prefix=prefix, suffix=suffix, path=path, language_id="python")
        prompt = self._builder.build(view, max_tokens=self._answer_tokens)
        return Place(path, prefix, suffix, list(prompt.token_ids))
