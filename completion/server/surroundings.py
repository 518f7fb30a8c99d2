"""The tokens of a document that its prompt has no room for: the workspace's model reads them, too.

They stay the same from key to key, so they are encoded once. In memory only, and capped.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from hashlib import blake2b

from completion.prompt.encoder import TextEncoder
from completion.prompt.views import DocumentView, Prompt
from completion.workspace.request import Rest

MOST_BYTES = 48 << 10
"""Of text before the prompt's window, and half of it behind: some 30 ms to encode once."""
STEP_BYTES = 4096
"""Where a document is longer than that, the far edge moves so far at a time."""
MOST_KEPT = 128


class Surroundings:
    """Encodes what is around the windows of prompts."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def of(self, document: DocumentView, prompt: Prompt) -> Rest:
        """Return the tokens of ``document`` before the text in ``prompt``, and behind it."""
        before = document.prefix[: len(document.prefix) - prompt.prefix_bytes]
        over = max(0, len(before) - MOST_BYTES)
        before = before[-(-over // STEP_BYTES) * STEP_BYTES :]
        behind = document.suffix[len(prompt.suffix_text) :][: MOST_BYTES // 2]
        return Rest(self._encoded(before), self._encoded(behind))

    def _encoded(self, text: bytes) -> bytes:
        if not text:
            return b""
        key = blake2b(text, digest_size=16).digest()
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = array("i", self._encoder.encode(text)).tobytes()
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found
