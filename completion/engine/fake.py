"""An engine without a model, for tests of everything around it: a byte tokenizer and one rule.

``caret serve --engine fake`` serves it, so that clients can be tested without torch or vLLM. Its
rule: go on with what followed the last earlier occurrence of the prompt's last four bytes, and
where there is none, with :data:`REPLY`. Like any engine it knows ids only.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from completion.engine.base import Engine, EngineInfo, RequestStats, Sampling, Step
from completion.engine.checkpoint import Checkpoint
from completion.healing.vocabulary import byte_alphabet
from completion.prompt.encoder import TextEncoder
from completion.prompt.templates import FAMILIES
from completion.workspace.fit import Fit
from completion.workspace.request import Mixing
from completion.workspace.workspaces import Workspaces, call

if TYPE_CHECKING:
    from torch import Tensor

REPLY = b"value = compute(value)\n"
CONTEXT_TOKENS = 1 << 16
_MATCH_BYTES = 4
_SENTINELS = ("<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
              "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>")  # fmt: skip
_END = 256


def fake_checkpoint() -> Checkpoint:
    """Return the checkpoint of :class:`FakeEngine`: 256 bytes and the sentinels of ``qwen``."""
    added = [
        {"id": 256 + i, "content": name, "special": True, "single_word": False,
         "lstrip": False, "rstrip": False, "normalized": False}
        for i, name in enumerate(_SENTINELS)
    ]  # fmt: skip
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False,
                  "trim_offsets": True}  # fmt: skip
    tree = {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None,
        "added_tokens": added, "pre_tokenizer": byte_level, "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "merges": [], "vocab": {c: b for b, c in enumerate(byte_alphabet())}},
    }  # fmt: skip
    encoder = TextEncoder.from_json(json.dumps(tree))
    template = FAMILIES["qwen"].fitted(encoder.vocabulary.special)
    return Checkpoint(
        path=Path(), name="fake", version="1", template=template, arms=("psm", "spm"),
        default_arm="one_token_psm", context_tokens=CONTEXT_TOKENS, max_context_tokens=CONTEXT_TOKENS,
        encoder=encoder, vocabulary=encoder.vocabulary,
        stop_ids=tuple(sorted(encoder.vocabulary.special_ids)), checksum="none",
    )  # fmt: skip


class FakeEngine(Engine):
    """Deterministic; ``delay_ms`` is slept before each token, ``reply`` given where nothing matches."""

    def __init__(self, *, delay_ms: float = 0.0, reply: bytes = REPLY) -> None:
        self._delay = delay_ms / 1e3
        self._reply = reply
        self._running = 0
        self._workspaces = Workspaces(
            _END + len(_SENTINELS), Fit(), most_tokens=1 << 20, most_file_tokens=1 << 17
        )

    @property
    def info(self) -> EngineInfo:
        """What is being run: nothing."""
        return EngineInfo(
            engine="fake 1", device="cpu", dtype="none", context_tokens=CONTEXT_TOKENS
        )

    async def start(self) -> None:
        """Do nothing."""

    async def generate(
        self, prompt: list[int], sampling: Sampling, stats: RequestStats
    ) -> AsyncGenerator[Step, None]:
        """Yield one token a step, the end token after the reply."""
        self._running += 1
        begin = time.perf_counter()
        self.work.prompt += len(prompt)
        try:
            text = [*self._continuation(prompt), _END][: sampling.max_tokens]
            if sampling.allowed_token_ids and text[0] not in sampling.allowed_token_ids:
                text[0] = sampling.allowed_token_ids[0]
            for i, token in enumerate(text):
                await asyncio.sleep(self._delay)
                self.work.generated += 1
                if i == 0:
                    stats.first_token_ms = (time.perf_counter() - begin) * 1e3
                done = "stop" if token in sampling.stop_token_ids else ""
                last = "length" if i + 1 == sampling.max_tokens else ""
                rows = self._rows(prompt, *sampling.rows) if i == 0 and any(sampling.rows) else None
                yield Step((token,), (-0.5,), done or last, rows)
        finally:
            self._running -= 1

    async def top_tokens(
        self,
        prompt: list[int],
        count: int,
        mixing: Mixing | None = None,
        cache_salt: str = "",
    ) -> list[tuple[int, float]]:
        """Return the next byte first, then the ones after it in the alphabet."""
        await asyncio.sleep(self._delay)
        first = (self._continuation(prompt) or bytes([0]))[0]
        return [((first + i) % 256, -0.5 * (i + 1)) for i in range(count)]

    async def workspaces(self, method: str, *words: Any) -> Any:
        """Hold workspaces as the real one does; nothing is mixed in."""
        return call(self._workspaces, method, *words)

    async def running(self) -> int:
        """Return how many generators are open."""
        return self._running

    async def stop(self) -> None:
        """Do nothing."""

    def _rows(self, prompt: list[int], first: int, without: int) -> Tensor:
        """Return laws in which the next byte has nearly everything and the others the rest."""
        import torch

        ends = range(max(1, len(prompt) - first + 1), len(prompt) - without + 1)
        logits = torch.zeros(len(ends), _END + len(_SENTINELS))
        for row, end in enumerate(ends):
            logits[row, (self._continuation(prompt[:end]) or bytes([0]))[0]] = 12.0
        return torch.log_softmax(logits, -1)

    def _continuation(self, prompt: list[int]) -> bytes:
        text = bytes(t if t < 256 else 0 for t in prompt)
        before = text.rpartition(b"\0")[2] or text.strip(b"\0").split(b"\0")[0]
        key = before[-_MATCH_BYTES:]
        at = before.rfind(key, 0, len(before) - 1) if len(key) == _MATCH_BYTES else -1
        if at < 0:
            return self._reply
        return before[at + len(key) : at + len(key) + 64]
