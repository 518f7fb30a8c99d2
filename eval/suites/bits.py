"""Bits per byte of held-out files, read left to right by the model itself.

Independent of the tokenizer: the bits of all tokens of a file over the bytes of its text. Every
file stands behind the token that documents stand behind in training, and has no other file before
it. The service has no scores of text, so the checkpoint is run here, in transformers. An engine
that is a law over bytes reads by itself: its bits are of the text, however that is spelled in
tokens, which is what several models have in common and what their mean is of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from completion.errors import CaretError, UsageError
from eval import held_out
from eval.document_start import start_token
from eval.engines.base import Engine
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item
from eval.metrics.bits_per_byte import bits_per_byte
from eval.suites.base import Draw, Loaded, Scores, Suite

if TYPE_CHECKING:
    from completion.engine.checkpoint import Checkpoint
    from eval.engines.byte_reading import Reading

MOST_BYTES = 1 << 16
"""Of a file, up to a line's end: longer files are tables more often than code."""
_AT_ONCE = 512


@runtime_checkable
class KnowsCheckpoint(Protocol):
    """An engine whose weights lie here; after ``start``."""

    checkpoint: Checkpoint


@runtime_checkable
class ReadsBytes(Protocol):
    """An engine that is a law over bytes; after ``start``."""

    async def read_text(self, text: bytes) -> Reading:
        """Return the bits that a text costs."""
        ...


class Bits(Suite):
    """One item a file, its text in ``prefix``; asked of the weights, or of a law over bytes."""

    name = "bits"
    version = "1"
    about = (
        "bits per byte of held-out files, read left to right (in-process, byte-greedy, ensemble)"
    )
    headline = ("bits_per_byte",)
    default_limit = 50
    baselines = ()

    def __init__(self) -> None:
        self._reader: Reader | None = None
        self._turn = asyncio.Lock()

    def load(self, data: Path | None) -> Loaded:
        """Return the Python files of the tree, each to its :data:`MOST_BYTES`.

        Raises:
            UsageError: there is no tree (and how to get one), or no Python in it.
        """
        tree = held_out.tree(data)
        items = [
            Item(
                id=file.path, prefix=_beginning(file.text), suffix=b"", reference=b"",
                path=file.path,
            )
            for file in tree.python
            if file.text
        ]  # fmt: skip
        if not items:
            raise UsageError(f"{tree.name}: no Python in it to be read")
        about: dict[str, Any] = {
            "source": f"{tree.name}, {len(tree.files)} files",
            "sha256": tree.sha256,
            "licence": "that of each package of the tree",
            "published": False,
        }
        return Loaded(items=items, data=about, warnings=tree.warnings)

    def ask(self, item: Item) -> Ask:
        """Return the default; nothing is asked of the engine."""
        return Ask()

    async def answers(self, item: Item, engine: Engine, draw: Draw) -> list[Answer]:
        """Read the file; the answer's ``data`` has its ``bits``, ``bytes``, and ``tokens`` or ``rows``.

        Raises:
            UsageError: the engine has no weights here.
        """
        if isinstance(engine, ReadsBytes):
            return [Answer(data=_data(await engine.read_text(item.prefix)))]
        if not isinstance(engine, KnowsCheckpoint):
            raise UsageError(
                f"bits are of a model's own probabilities, and --engine {engine.name} does not "
                "give them; take --engine in-process, byte-greedy or ensemble"
            )
        async with self._turn:
            if self._reader is None:
                self._reader = await asyncio.to_thread(Reader, engine.checkpoint)
            log_probs = await asyncio.to_thread(self._reader.log_probs, item.prefix)
        bits, size = bits_per_byte(log_probs, len(item.prefix))
        return [Answer(data={"bits": bits, "bytes": size, "tokens": len(log_probs)})]

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return ``bits_per_byte`` as bits and bytes: pooled, it is of all bits to all bytes.

        Of several models also ``bits_per_byte_1`` and so on, of each alone.
        """
        data = answers[0].data
        scores: Scores = {"bits_per_byte": (data["bits"], data["bytes"])}
        for number, bits in enumerate(data.get("alone", ()), 1):
            scores[f"bits_per_byte_{number}"] = (bits, data["bytes"])
        return scores


class Reader:
    """A checkpoint's weights in transformers, in single precision, on the CPU."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Load them. Raises CaretError when transformers cannot."""
        import torch
        from transformers import AutoModelForCausalLM

        self._checkpoint = checkpoint
        self._start = start_token(checkpoint)
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                checkpoint.path, dtype=torch.float32, local_files_only=True,
                trust_remote_code=False, use_safetensors=True,
            )  # fmt: skip
        except (OSError, ValueError, RuntimeError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CaretError(f"{checkpoint.name} cannot be loaded in transformers: {why}") from None
        self._model = model.eval()

    def log_probs(self, text: bytes) -> list[float]:
        """Return the natural logarithm of the probability of each token of ``text``.

        Legend: T tokens that are predicted, V vocabulary.
        """
        import torch

        checkpoint = self._checkpoint
        ids = [self._start]
        ids += checkpoint.encoder.encode(text, dummy_prefix=checkpoint.template.dummy_prefix)
        out: list[float] = []
        for begin, end, first in windows(len(ids) - 1, checkpoint.context_tokens):
            with torch.inference_mode():
                logits_TV = self._model(torch.tensor([ids[begin:end]])).logits[0, first - begin :]
            targets_T1 = torch.tensor(ids[first + 1 : end + 1]).unsqueeze(1)
            for at in range(0, end - first, _AT_ONCE):  # a copy of all rows would be gigabytes
                rows = logits_TV[at : at + _AT_ONCE].float().log_softmax(-1)
                out += rows.gather(1, targets_T1[at : at + _AT_ONCE]).squeeze(1).tolist()
        return out


def windows(count: int, context: int) -> Iterator[tuple[int, int, int]]:
    """Yield the windows in which ``count`` tokens are predicted, each exactly once.

    ``(begin, end, first)``: the model sees ``ids[begin:end]``, of which those from ``first`` on
    each predict the token behind them. Windows have ``context`` tokens and overlap by half, so that
    but for a file's beginning no token is predicted from less than half a context.
    """
    step = max(1, context // 2)
    begin = first = 0
    while first < count:
        end = min(begin + context, count)
        yield begin, end, first
        first, begin = end, begin + step


def _data(found: Reading) -> dict[str, Any]:
    alone = {"alone": list(found.alone)} if len(found.alone) > 1 else {}
    return {"bits": found.bits, "bytes": found.size, "rows": list(found.rows), **alone}


def _beginning(text: bytes) -> bytes:
    if len(text) <= MOST_BYTES:
        return text
    return text[: text.rfind(b"\n", 0, MOST_BYTES) + 1] or text[:MOST_BYTES]
