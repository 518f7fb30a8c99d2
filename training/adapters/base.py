"""The base of adapters: a checked model folder, its shape, its text.

Lives here: what a run has to know of a base before a weight is loaded. Checking the folder is
:mod:`completion.engine.checkpoint`'s: safetensors only, and no code that comes with a model is
ever run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from completion.engine.checkpoint import Checkpoint, load_checkpoint
from completion.errors import CaretError, UsageError
from training.adapters.layout import FamilyLayout, end_of
from training.distributed import Group
from training.recipe import ModelRecipe, Recipe
from training.run.checkpoint import NAME as CHECKPOINT

if TYPE_CHECKING:
    from training.adapters.decoder import AdaptedDecoder

BASE_FILE = "base.json"
"""In a run's folder: which base its adapters belong to."""


@dataclass(frozen=True, slots=True)
class Ids:
    """What of an encoding is used."""

    ids: list[int]


class FamilyTokenizer:
    """A base's text encoder in the shape of ``tokenizers.Tokenizer``: every text spelled exactly."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._encoder = checkpoint.encoder
        self.token_bytes: Sequence[bytes] = checkpoint.vocabulary.token_bytes

    def encode(self, sequence: str) -> Ids:
        """Return the tokens of a text, no sentinel and no space of SentencePiece's among them."""
        return Ids(self._encoder.encode(sequence.encode()))

    def get_vocab_size(self) -> int:
        """Return how many ids there are."""
        return len(self.token_bytes)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A model whose weights stay as they are."""

    checkpoint: Checkpoint
    shape: ModelRecipe
    """Of its decoder, read from ``config.json``."""
    layout: FamilyLayout
    tokenizer: FamilyTokenizer

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.checkpoint.path

    def adapted(self, recipe: Recipe, group: Group) -> AdaptedDecoder:
        """Load the model and put fresh adapters into it, drawn by torch's random state.

        Raises:
            UsageError: the recipe is of another base or has no adapters, or the model is sliced.
        """
        from training.adapters.decoder import AdaptedDecoder

        if recipe.lora is None or recipe.lora.base != self.fingerprint:
            raise UsageError(
                f"recipe {recipe.name}: it is not of adapters in {self.checkpoint.name}"
            )
        if group.sharded:
            raise UsageError("adapters are trained with the whole base in every process")
        return AdaptedDecoder(self, recipe.lora)

    @cached_property
    def fingerprint(self) -> str:
        """What tells it from every other base: its weights and what its tokens stand for."""
        tokens = sha256((self.folder / "tokenizer.json").read_bytes()).hexdigest()
        return f"{self.checkpoint.checksum}/{tokens[:16]}"

    def identity(self) -> dict[str, str]:
        """Return what a run keeps of it."""
        return {
            "name": self.checkpoint.name,
            "folder": str(self.folder.resolve()),
            "fingerprint": self.fingerprint,
            "family": self.checkpoint.template.family,
        }

    def note_in(self, run: Path) -> None:
        """Write which base the adapters in ``run`` belong to.

        Raises:
            UsageError: those that are there belong to another, or to none.
        """
        path = run / BASE_FILE
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if known and known["fingerprint"] != self.fingerprint:
            raise UsageError(
                f"run {run}: its adapters belong to {known['name']}, not to "
                f"{self.checkpoint.name}; give that as --base, or another --out"
            )
        if not known and (run / CHECKPOINT).is_file():
            raise UsageError(f"run {run}: it has no base; give another --out")
        run.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.identity(), indent=1) + "\n", encoding="utf-8")


def load_base(model: str) -> Base:
    """Read a folder or a Hugging Face id; no weight is loaded yet.

    Raises:
        UsageError: there is no such model, or its tokens do not spell its text.
        CaretError: it has no FIM tokens, pickled weights, or needs code of its own.
    """
    checkpoint = load_checkpoint(model)
    if checkpoint.encoder.unmapped:
        raise UsageError(
            f"--base {model}: {checkpoint.encoder.unmapped}, so its tokens cannot be labelled; "
            "use a base that spells every byte"
        )
    layout = FamilyLayout(checkpoint, end_of(checkpoint, _eos(checkpoint.path)))
    return Base(
        checkpoint=checkpoint,
        shape=_shape(checkpoint),
        layout=layout,
        tokenizer=FamilyTokenizer(checkpoint),
    )


def base_of_run(run: Path, model: str = "") -> Base:
    """Return the base that the adapters in ``run`` belong to; ``model`` says where it lies now.

    Raises:
        UsageError: the run has no base, or ``model`` is another one.
    """
    known = json.loads((run / BASE_FILE).read_text(encoding="utf-8"))
    if not model and not Path(known["folder"]).is_dir():
        raise UsageError(
            f"run {run}: its base {known['name']} is no longer where it was; give --base DIR"
        )
    base = load_base(model or known["folder"])
    if base.fingerprint != known["fingerprint"]:
        raise UsageError(
            f"run {run}: its adapters belong to {known['name']}, not to "
            f"{base.checkpoint.name} in {base.folder}; give that as --base"
        )
    return base


def _shape(checkpoint: Checkpoint) -> ModelRecipe:
    """Read the shape through ``transformers``, which knows every architecture's own names."""
    from transformers import AutoConfig

    try:
        config: Any = AutoConfig.from_pretrained(
            str(checkpoint.path), trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        why = str(error).partition("\n")[0]
        raise CaretError(
            f"{checkpoint.path}: transformers cannot read config.json: {why}"
        ) from None
    width, heads = config.hidden_size, config.num_attention_heads
    rope = getattr(config, "rope_parameters", None) or {}
    return ModelRecipe(
        vocabulary=config.vocab_size,
        width=width,
        layers=config.num_hidden_layers,
        heads=heads,
        kv_heads=getattr(config, "num_key_value_heads", None) or heads,
        head_dim=getattr(config, "head_dim", None) or width // heads,
        ffn=getattr(config, "intermediate_size", None) or 4 * width,
        context=checkpoint.max_context_tokens or checkpoint.context_tokens,
        rope_theta=float(rope.get("rope_theta") or 10_000.0),
    )


def _eos(folder: Path) -> str | None:
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return None
    eos = json.loads(path.read_text(encoding="utf-8")).get("eos_token")
    return eos.get("content") if isinstance(eos, dict) else eos
