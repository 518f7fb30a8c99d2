"""A run as one frozen tree of values, read from a TOML file and validated once.

Lives here: the fields, their units and their checks. A recipe holds everything that decides the
weights; where files lie and on which device it runs are the caller's. An unknown key is an error.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from completion.errors import UsageError
from training.objectives import mixture

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecipe:
    """The shape of the decoder."""

    vocabulary: int
    """Size of the tokenizer, sentinels included."""
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int = 64
    ffn: int
    context: int = 2048
    """Positions that the rotary tables hold; what is exported is what was verified."""
    rope_theta: float = 10_000.0

    def __post_init__(self) -> None:
        _positive(self, "vocabulary", "width", "layers", "heads", "kv_heads", "head_dim", "ffn")
        if self.heads % self.kv_heads:
            raise UsageError("recipe: model.heads must be a multiple of model.kv_heads")
        if self.head_dim % 2:
            raise UsageError("recipe: model.head_dim must be even for rotary positions")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataRecipe:
    """How documents become rows of tokens."""

    lengths: tuple[int, ...] = (512,)
    """Row lengths in tokens; each document is laid out for one of them."""
    shares: tuple[float, ...] = (1.0,)
    """The share of documents laid out for each of ``lengths``."""
    fim_rate: float = 0.7
    """Share of examples that are fill-in-the-middle; the others are read left to right."""
    spm_rate: float = 0.5
    """Share of FIM examples that put the suffix first."""
    neighbour_rate: float = 0.15
    """Share of examples with snippets of other files of the same package in front."""
    definitions_rate: float = 0.0
    """Share of FIM examples that keep room for definitions of what their middle uses, which stand in
    front where there are any; the corpus needs its links."""
    end_rate: float = 0.1
    """Share of FIM examples with nothing behind the cursor, as when a file is being written."""
    empty_rate: float = 0.05
    """Share of FIM examples with an empty middle: the model learns to say nothing."""
    middles: dict[str, float] = field(default_factory=lambda: dict(mixture.SHARES))
    """Share of each kind of FIM middle, among those that no task of ``[objectives]`` takes."""
    characters_per_token: float = 3.3
    """What a window is cut by before it is encoded; tokens beyond the row are trimmed."""
    workers: int = 0
    """Processes that prepare examples; 0 prepares them in the training process."""
    order: str = "shuffled"
    """``shuffled``: documents at random; ``repository``: packages at random, in each a file behind
    those that it imports, and rows filled in this order."""

    def __post_init__(self) -> None:
        if self.order not in {"shuffled", "repository"}:
            raise UsageError("recipe: data.order must be shuffled or repository")
        if len(self.lengths) != len(self.shares) or not self.lengths:
            raise UsageError("recipe: data.lengths and data.shares must have the same entries")
        if min(self.lengths) < 32:
            raise UsageError("recipe: data.lengths must be at least 32 tokens")
        if min(self.shares) < 0 or sum(self.shares) <= 0:
            raise UsageError("recipe: data.shares must be positive")
        if fault := mixture.fault(self.middles):
            raise UsageError(f"recipe: data.middles {fault}")
        rates = ("fim_rate", "spm_rate", "neighbour_rate", "definitions_rate", "end_rate")
        _share(self, *rates, "empty_rate")


HORIZON_FORMS = ("linear", "sigmoid", "log_remaining")
"""What :data:`training.objectives.horizon.FORMS` has; a recipe is read without torch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectivesRecipe:
    """What is trained beside the next token; 0 switches a thing off, :data:`PLAIN` all of them.

    ``horizon`` and ``next_type`` are weights of light heads that are dropped at export.
    ``masked_identifiers`` is a share of all examples. The others are shares of the FIM examples
    whose middle is such a task; what they leave has the ordinary kinds.
    """

    horizon: float = 0.1
    """Weight of horizon-length prediction, the mean L1 error over positions in middles."""
    horizon_form: str = "linear"
    """How the horizon is said: ``linear``, ``sigmoid`` or ``log_remaining``."""
    next_type: float = 0.1
    """Weight of the next token's type, the mean cross-entropy in nats over tokens with a type."""
    statement: float = 0.05
    """One whole statement."""
    body_from_docstring: float = 0.05
    """A function's body, signature and docstring before it."""
    docstring_from_body: float = 0.03
    """A docstring, the body behind it."""
    identifier: float = 0.05
    """One occurrence of a name that occurs again in sight."""
    declaration: float = 0.03
    """Where a name is bound, all its uses in sight."""
    masked_identifiers: float = 0.0
    """Share of all examples, and no middle: names of a window, each behind a sentinel everywhere."""

    def __post_init__(self) -> None:
        if self.horizon_form not in HORIZON_FORMS:
            known = ", ".join(HORIZON_FORMS)
            raise UsageError(f"recipe: objectives.horizon_form must be one of {known}")
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name != "horizon_form" and not (value >= 0 and math.isfinite(value)):
                raise UsageError(f"recipe: objectives.{f.name} must be a number from 0 on")
        shares = [getattr(self, name) for name in TASK_SHARES]
        if sum(shares) > 1:
            names = ", ".join(f"objectives.{name}" for name in TASK_SHARES)
            raise UsageError(f"recipe: {names} must add up to at most 1")
        if self.masked_identifiers > 1:
            raise UsageError("recipe: objectives.masked_identifiers must be at most 1")


TASK_SHARES = (
    "statement",
    "body_from_docstring",
    "docstring_from_body",
    "identifier",
    "declaration",
)
PLAIN = ObjectivesRecipe(
    horizon=0.0,
    next_type=0.0,
    statement=0.0,
    body_from_docstring=0.0,
    docstring_from_body=0.0,
    identifier=0.0,
    declaration=0.0,
)
"""The next token alone, on the ordinary middles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimRecipe:
    """Muon on hidden matrices, AdamW on the rest, one schedule for both."""

    muon_lr: float = 0.02
    muon_momentum: float = 0.95
    muon_weight_decay: float = 0.05
    embedding_lr: float = 3e-3
    norm_lr: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0
    """Largest norm of the gradient before an update."""
    warmup_steps: int = 100
    decay_share: float = 0.5
    """Share of the run at its end over which the rate falls linearly."""
    final_share: float = 0.05
    """What is left of the rate at the end."""
    ema_share: float = 0.15
    """Share of the run at its end over which weights are averaged; 0 switches averaging off."""
    ema_decay: float = 0.99

    def __post_init__(self) -> None:
        _share(self, "decay_share", "final_share", "ema_share", "ema_decay")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoraRecipe:
    """Adapters of low rank in a frozen base (LoRA, arXiv 2106.09685); the base brings its shape."""

    rank: int = 16
    alpha: float = 32.0
    """The adapters' output is scaled by ``alpha / rank``."""
    dropout: float = 0.0
    """Before the adapters only; the base never drops out."""
    targets: tuple[str, ...] = ("all-linear",)
    """Last parts of the names of the layers that get one; ``all-linear``: all but the output."""
    learning_rate: float = 5e-4
    """AdamW's, in the place of all rates of ``[optim]`` but the heads'."""
    base: str = ""
    """Fingerprint of the base, filled in by ``caret train``."""

    def __post_init__(self) -> None:
        _positive(self, "rank", "alpha", "learning_rate")
        if not (0 <= self.dropout < 1):
            raise UsageError("recipe: lora.dropout must lie between 0 and 1, 1 excluded")
        if not self.targets:
            raise UsageError("recipe: lora.targets is empty; give names of layers or all-linear")


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetRecipe:
    """When the run ends: the schedule follows whichever of the two is given."""

    minutes: float = 0.0
    """Accumulated training time, across resumptions; 0 means that ``tokens`` decides."""
    tokens: int = 0
    """Tokens trained on; 0 means that ``minutes`` decides."""

    def __post_init__(self) -> None:
        if (self.minutes > 0) == (self.tokens > 0):
            raise UsageError("recipe: give exactly one of budget.minutes and budget.tokens")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopRecipe:
    """How the loop steps, looks and saves."""

    batch_tokens: int = 16_384
    """Tokens an update, gradients accumulated over micro-batches of ``micro_tokens``."""
    micro_tokens: int = 8_192
    """Tokens a forward pass; a device with much memory takes the whole batch at once."""
    log_every: int = 10
    evaluate_every_minutes: float = 10.0
    evaluate_bytes: int = 200_000
    """Held-out text looked at while training; the whole of it is measured at the end."""
    checkpoint_every_minutes: float = 5.0
    spike_window: int = 100
    """Calm updates whose losses say what is usual; see :mod:`training.run.watch`."""
    spike_deviations: float = 10.0
    """How far beyond the usual a loss is out of line, in deviations; 0 looks for no spikes."""
    spike_updates: int = 20
    """Updates out of line, in a row, that stop the run."""
    bfloat16: bool = True
    compile: bool = True

    def __post_init__(self) -> None:
        _positive(
            self, "batch_tokens", "micro_tokens", "log_every", "spike_window", "spike_updates"
        )
        if not (self.spike_deviations >= 0 and math.isfinite(self.spike_deviations)):
            raise UsageError("recipe: loop.spike_deviations must be a number from 0 on")
        if self.batch_tokens % self.micro_tokens:
            raise UsageError("recipe: loop.batch_tokens must be a multiple of loop.micro_tokens")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """One run."""

    name: str
    seed: int = 1
    model: ModelRecipe
    lora: LoraRecipe | None = None
    """Adapters in a base instead of a model of one's own; ``model`` is then the base's shape."""
    data: DataRecipe = field(default_factory=DataRecipe)
    objectives: ObjectivesRecipe = field(default_factory=ObjectivesRecipe)
    optim: OptimRecipe = field(default_factory=OptimRecipe)
    budget: BudgetRecipe
    loop: LoopRecipe = field(default_factory=LoopRecipe)

    def __post_init__(self) -> None:
        for length in self.data.lengths:
            if length > self.model.context:
                raise UsageError(f"recipe: data.lengths has {length}, beyond model.context")
            if self.loop.micro_tokens % length:
                raise UsageError(f"recipe: loop.micro_tokens must be a multiple of {length}")


def read_recipe(path: Path) -> Recipe:
    """Read and validate a TOML recipe; anything wrong is a :class:`UsageError`."""
    table = read_table(path)
    if "lora" in table:
        raise UsageError(f"recipe {path}: [lora] needs a model to adapt; give --base DIR")
    return recipe_from(table)


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file; anything wrong is a :class:`UsageError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"recipe {path}: no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"recipe {path}: {error}") from None


def recipe_from(table: dict[str, Any]) -> Recipe:
    """Build a recipe from the nested table of a TOML or JSON file."""
    return _build(Recipe, table, "")


def recipe_on_base(path: Path, shape: ModelRecipe, fingerprint: str) -> Recipe:
    """Read a recipe of adapters: it has ``[lora]`` and no ``[model]``, which is the base's ``shape``.

    ``fingerprint`` tells the base from every other.
    """
    table = read_table(path)
    if "model" in table:
        raise UsageError(f"recipe {path}: --base brings its own shape; leave [model] out")
    lora = table.get("lora")
    if not isinstance(lora, dict):
        raise UsageError(f"recipe {path}: adapters of --base need a table [lora]")
    lora = {**typing.cast("dict[str, Any]", lora), "base": fingerprint}
    recipe = recipe_from({**table, "model": dataclasses.asdict(shape), "lora": lora})
    if recipe.objectives.masked_identifiers:
        raise UsageError(
            f"recipe {path}: objectives.masked_identifiers needs sentinels of Caret's own "
            "tokenizer; set it to 0 with --base"
        )
    return recipe


def recipe_of_run(table: dict[str, Any]) -> Recipe:
    """Read back what a run kept of its recipe: one without objectives is older than they are."""
    return recipe_from({"objectives": dataclasses.asdict(PLAIN), **table})


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """Return the nested table that :func:`recipe_from` reads back to an equal recipe."""
    return {k: v for k, v in dataclasses.asdict(recipe).items() if v is not None}


def _build(kind: type[T], table: dict[str, Any], where: str) -> T:
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, kind))}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            known = ", ".join(sorted(fields))
            raise UsageError(f"recipe: unknown key {where}{key}; known here: {known}")
        values[key] = _value(hints[key], value, f"{where}{key}")
    missing = [
        name
        for name, f in fields.items()
        if name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise UsageError(f"recipe: {where}{missing[0]} is missing")
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, types.UnionType):  # a table that may be left out
        hint = typing.get_args(hint)[0]
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise UsageError(f"recipe: {where} must be a table")
        return _build(typing.cast(Any, hint), typing.cast(Any, value), where + ".")
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise UsageError(f"recipe: {where} must be a list")
        item = typing.get_args(hint)[0]
        return tuple(_value(item, v, where) for v in typing.cast(Any, value))
    if origin is dict:
        if not isinstance(value, dict):
            raise UsageError(f"recipe: {where} must be a table")
        item = typing.get_args(hint)[1]
        table = typing.cast("dict[str, Any]", value)
        return {key: _value(item, v, f"{where}.{key}") for key, v in table.items()}
    wanted = (int, float) if hint is float else (hint,)
    if isinstance(hint, types.GenericAlias) or type(value) not in wanted:
        raise UsageError(f"recipe: {where} must be {hint.__name__}, not {value!r}")
    return float(value) if hint is float else value


def _positive(recipe: object, *names: str) -> None:
    for name in names:
        if getattr(recipe, name) <= 0:
            raise UsageError(f"recipe: {name} must be above 0")


def _share(recipe: object, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(recipe, name) <= 1:
            raise UsageError(f"recipe: {name} must lie between 0 and 1")
