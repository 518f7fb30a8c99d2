"""A frozen model of ``transformers`` with LoRA inside, in the shape of :class:`training.model.Decoder`.

Lives here: loading, wrapping, and the two halves of a forward pass that the objectives need: last
hidden states, then logits. LoRA: Hu et al., arXiv 2106.09685, by ``peft``; light adapters beside
token types in a frozen model: arXiv 2303.06233. Only what is trained is registered in this
module: whoever counts, saves, averages or steps its parameters sees the adapters alone.

Shape legend as in :mod:`training.model`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from completion.errors import CaretError, UsageError
from training.adapters.base import Base
from training.export.agreement import load_float32
from training.model import IGNORE
from training.recipe import LoraRecipe

LOGIT_TOLERANCE = 1e-4
"""Between the two halves and the whole model, in float32."""


class AdaptedDecoder(nn.Module):
    """Input ids (B, T) int64; output logits (B, T, V) or losses. The base never drops out."""

    def __init__(self, base: Base, lora: LoraRecipe) -> None:
        """Load the base in float32 and put fresh adapters into it, which change nothing yet.

        Raises:
            UsageError: the base has no layers of the names in ``lora.targets``.
            CaretError: its logits are not its output layer's of its last hidden states.
        """
        super().__init__()
        whole = load_float32(base.folder)
        whole.requires_grad_(False)
        try:
            wrapped = get_peft_model(whole, _config(lora))
        except ValueError as error:
            why = str(error).partition("\n")[0]
            raise UsageError(f"recipe: lora: {why}") from None
        self._held: tuple[PeftModel] = (wrapped,)  # in a tuple: not registered
        self._scale = float(getattr(whole.config, "logits_scaling", None) or 1.0)
        trained = {n: p for n, p in wrapped.named_parameters() if p.requires_grad}
        self.adapter = nn.ParameterDict({n.replace(".", "/"): p for n, p in trained.items()})
        self.train()
        self._check_halves(whole)

    @property
    def _whole(self) -> Any:
        return self.wrapped.get_base_model()

    @property
    def wrapped(self) -> PeftModel:
        """The base with the adapters in it."""
        return self._held[0]

    def train(self, mode: bool = True) -> AdaptedDecoder:
        """Switch the adapters' dropout; the base's own stays off."""
        super().train(mode)
        self.wrapped.eval()
        for name, module in self.wrapped.named_modules():
            if name.endswith("lora_dropout"):
                module.train(mode)
        return self

    def model(self, ids_BT: Tensor) -> Tensor:
        """Return last hidden states (B, T, D) for ids (B, T)."""
        body: Any = self._whole.base_model
        return body(input_ids=ids_BT, use_cache=False).last_hidden_state

    def logits(self, hidden_BTD: Tensor) -> Tensor:
        """Return logits (B, T, V) for last hidden states."""
        return self._whole.get_output_embeddings()(hidden_BTD) / self._scale

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Return logits (B, T, V)."""
        return self.logits(self.model(ids_BT))

    def losses_of(self, hidden_BTD: Tensor, targets_BT: Tensor) -> Tensor:
        """Return the cross-entropy in nats of each position (B * T,), 0 where ignored."""
        logits = self.logits(hidden_BTD).flatten(0, 1).float()
        return F.cross_entropy(logits, targets_BT.flatten(), ignore_index=IGNORE, reduction="none")

    def loss_of(self, hidden_BTD: Tensor, targets_BT: Tensor) -> Tensor:
        """Return the summed :meth:`losses_of`."""
        return self.losses_of(hidden_BTD, targets_BT).sum()

    def losses(self, ids_BT: Tensor, targets_BT: Tensor) -> Tensor:
        """Return :meth:`losses_of` for ids, measured: no dropout."""
        was = self.training
        self.train(False)
        try:
            return self.losses_of(self.model(ids_BT), targets_BT)
        finally:
            self.train(was)

    @torch.no_grad()
    def put(self, weights: Mapping[str, Tensor]) -> None:
        """Take trained adapters, by the names of :meth:`named_parameters`.

        Raises:
            UsageError: they are of another shape.
        """
        ours = dict(self.named_parameters())
        if {n: p.shape for n, p in ours.items()} != {n: w.shape for n, w in weights.items()}:
            raise UsageError("these adapters are of another base or recipe; give their own")
        for name, parameter in ours.items():
            parameter.copy_(weights[name])

    def merged(self) -> Any:
        """Return the base's own model with the adapters added to its weights; this one is spent."""
        return self.wrapped.merge_and_unload()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AdaptedDecoder:
        self.wrapped._apply(fn)  # the parameters registered here are the same objects
        return self

    @torch.no_grad()
    def _check_halves(self, whole: Any) -> None:
        """An architecture may do more to its logits than this module knows (caps, scales)."""
        ids = torch.arange(16)[None] % whole.config.vocab_size
        self.train(False)
        expected = whole(input_ids=ids, use_cache=False).logits
        apart = (self(ids) - expected).abs().max().item()
        self.train(True)
        if not apart <= LOGIT_TOLERANCE:
            raise CaretError(
                f"{type(whole).__name__} does more to its logits than its output layer does; "
                "adapters of it cannot be trained here"
            )


def _config(lora: LoraRecipe) -> LoraConfig:
    everything = lora.targets == ("all-linear",)
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # pyright: ignore[reportArgumentType] - any number will do
        lora_dropout=lora.dropout,
        target_modules="all-linear" if everything else list(lora.targets),
        task_type="CAUSAL_LM",
    )
