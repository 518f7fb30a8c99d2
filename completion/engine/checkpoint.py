"""A model folder, checked and read: what is served, and everything but the weights themselves.

Safetensors only, and no code that comes with a model is ever run. What is wrong with a folder is
said in one line before an engine is started. ``caret.json`` in the folder (format 1, written by
``caret export``) says what the model was trained on; without it the tokens decide the family.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from completion.engine.locate import is_hub_id, locate
from completion.engine.weights import checksum, weight_files
from completion.errors import CaretError, UsageError
from completion.healing.arms import ARMS, Arm, Heals, arm_named, healing
from completion.healing.spelling import parts
from completion.healing.vocabulary import Vocabulary
from completion.prompt.budget import Shares
from completion.prompt.builder import PromptBuilder
from completion.prompt.encoder import TextEncoder
from completion.prompt.snippets import FORMAT_VERSION
from completion.prompt.templates import FAMILIES, TEMPLATES, Template, recognise
from completion.workspace.fit import Fit, load_fit

CARET_FORMAT = 1
"""The version of ``caret.json`` that is read here."""
MEASURED_ARMS = "arms.json"
"""What `caret eval arms` keeps beside the weights: how they are asked best."""
DEFAULT_CONTEXT_TOKENS = 8192
"""Most context taken unasked: long contexts cost memory and time, and completion needs few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A model that can be served."""

    path: Path
    name: str
    version: str = ""
    template: Template
    """Fitted to the tokenizer: every name in it is a token of the vocabulary."""
    arms: tuple[str, ...]
    """Prompt layouts that the model was trained on."""
    default_arm: str
    context_tokens: int
    """Prompt and answer together, unless the user asks for another number."""
    max_context_tokens: int
    """What the model's positions allow; 0: unknown."""
    encoder: TextEncoder
    vocabulary: Vocabulary
    stop_ids: tuple[int, ...]
    """Every id that ends a middle, ascending."""
    checksum: str
    """``sha256:…`` over all bytes of the weights, or ``sha256-headers:…`` of very large ones."""
    languages: tuple[str, ...] = ()
    """LSP language ids that the model was trained on; empty: unknown."""
    snippets: bool = True
    """Whether other files may stand in the prompt."""
    workspace_fit: Fit = field(default_factory=Fit)
    """How a workspace is weighed against this model, before the workspace is fitted itself."""
    messages: tuple[str, ...] = ()
    """What the user should know, one line each."""

    @property
    def unhealed(self) -> str:
        """Why typed bytes are never healed with this model, one line; empty: they can be."""
        why = self.encoder.unmapped
        return f"healing is off with {self.name}: {why}" if why else ""

    def arm(self, name: str = "auto") -> Arm:
        """Return the arm called ``name``; ``auto`` is the model's own.

        A model that cannot heal is asked in the same layout without.

        Raises:
            UsageError: the model has no such layout.
        """
        arm = arm_named(self.default_arm if name == "auto" else name)
        if arm.layout not in self.template.layouts:
            known = ", ".join(n for n, a in ARMS.items() if a.layout in self.template.layouts)
            raise UsageError(f"{self.name} has no arm {name!r}; set model.arm to auto or {known}")
        return healing(arm, Heals.OFF) if self.unhealed else arm

    def prompt_builder(
        self, *, layout: str = "", context_tokens: int = 0, shares: Shares | None = None
    ) -> PromptBuilder:
        """Return the builder of this model's prompts; nothing and 0 take the model's own.

        Raises:
            UsageError: a context that the model does not have.
        """
        if self.max_context_tokens and context_tokens > self.max_context_tokens:
            raise UsageError(
                f"model.context_tokens is {context_tokens}, but {self.name} has "
                f"{self.max_context_tokens} positions; set at most that"
            )
        return PromptBuilder(
            encoder=self.encoder,
            template=self.template,
            vocabulary=self.vocabulary,
            context_tokens=context_tokens or self.context_tokens,
            arm=layout or self.arm().layout,
            shares=shares,
            snippets=self.snippets,
        )


def load_checkpoint(model: str) -> Checkpoint:
    """Read ``bundled``, a folder, or a Hugging Face id.

    Raises:
        UsageError: there is no such model.
        CaretError: it cannot be served, with what is missing and how to get it.
    """
    folder = locate(model)
    config = _json(folder / "config.json", needed=True)
    _refuse_remote_code(config, folder)
    files = weight_files(folder)
    tokenizer_json = _tokenizer_json(folder)
    encoder = TextEncoder.from_json(tokenizer_json)
    vocabulary = encoder.vocabulary
    messages: list[str] = []
    caret = _json(folder / "caret.json")
    if caret.get("format", CARET_FORMAT) != CARET_FORMAT:
        raise CaretError(
            f"{folder / 'caret.json'} has format {caret['format']}, {CARET_FORMAT} is known: "
            "use the version of Caret that exported the model"
        )
    template = _template(caret, vocabulary, folder, messages)
    if template.bos is None:
        template = replace(template, bos=_own_bos(tokenizer_json, vocabulary))
    _refuse_short_embedding(template, vocabulary, config, folder)
    positions = _positions(config)
    context = caret.get("context_tokens") or 0
    if not isinstance(context, int) or context < 0:
        raise CaretError(f"{folder / 'caret.json'}: context_tokens must be a number of tokens")
    if positions:
        context = min(context or DEFAULT_CONTEXT_TOKENS, positions)
    snippets = caret.get("snippet_format", FORMAT_VERSION) == FORMAT_VERSION
    if not snippets:
        messages.append(
            f"{folder.name} was trained on snippet format {caret['snippet_format']}, this Caret "
            f"writes {FORMAT_VERSION}: other files are left out of prompts; export the model again"
        )
    measured = _json(folder / MEASURED_ARMS)
    default_arm = _default_arm(measured, caret, template, folder)
    checkpoint = Checkpoint(
        path=folder,
        name=str(caret.get("name") or (model if is_hub_id(model) else folder.name)),
        version=str(caret.get("version") or ""),
        template=template,
        arms=template.arms,
        default_arm=default_arm,
        context_tokens=context or DEFAULT_CONTEXT_TOKENS,
        max_context_tokens=positions,
        encoder=encoder,
        vocabulary=vocabulary,
        stop_ids=_stop_ids(folder, template, vocabulary, config),
        checksum=checksum(files),
        languages=tuple(str(name) for name in caret.get("languages") or ()),
        snippets=snippets,
        workspace_fit=load_fit(folder, otherwise=locate("bundled")),
        messages=tuple(messages),
    )
    if measured.get("checksum", checkpoint.checksum) != checkpoint.checksum:
        messages.append(
            f"{folder.name} has an {MEASURED_ARMS} of other weights; `caret eval arms --write` "
            "measures it again"
        )
    if checkpoint.unhealed:
        messages.append(checkpoint.unhealed)
    return replace(checkpoint, messages=tuple(messages))


def _default_arm(
    measured: Mapping[str, Any], caret: Mapping[str, Any], template: Template, folder: Path
) -> str:
    """Return how the model is asked by default: as measured, as it says itself, or as is usual."""
    for name, said in ((MEASURED_ARMS, measured), ("caret.json", caret)):
        arm = said.get("default_arm")
        if arm is None:
            continue
        if arm in template.arms or (arm in ARMS and ARMS[arm].layout in template.arms):
            return str(arm)
        raise CaretError(
            f"{folder / name}: default_arm {arm!r} is not among its arms "
            f"({', '.join(template.arms)}); mend the file"
        )
    return template.arms[0]


def _json(path: Path, *, needed: bool = False) -> dict[str, Any]:
    if not needed and not path.is_file():
        return {}
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaretError(f"{path} cannot be read ({error}); fetch the model again") from None
    if not isinstance(tree, dict):
        raise CaretError(f"{path} holds no JSON object; fetch the model again")
    return tree


def _refuse_remote_code(config: Mapping[str, Any], folder: Path) -> None:
    """An ``auto_map`` may stay unused; it must be where transformers does not know the model."""
    if "auto_map" not in config:
        return
    from transformers import CONFIG_MAPPING

    if config.get("model_type") not in CONFIG_MAPPING:
        raise CaretError(
            f"{folder.name} needs code of its own (auto_map), which is never run; "
            "use a conversion to an architecture that transformers has"
        )


def _tokenizer_json(folder: Path) -> str:
    path = folder / "tokenizer.json"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CaretError(
            f"{folder} has no tokenizer.json; convert its tokenizer with "
            "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CaretError(f"{path} cannot be read ({error}); fetch the model again") from None


def _template(
    caret: Mapping[str, Any], vocabulary: Vocabulary, folder: Path, messages: list[str]
) -> Template:
    known = ", ".join(FAMILIES)
    if not caret.get("family"):
        found = recognise(vocabulary.special)
        if found is None:
            models = "; ".join(template.models for template in TEMPLATES)
            raise CaretError(
                f"{folder.name} has no fill-in-the-middle tokens that are known; "
                f"use a model of one of these families: {models}"
            )
        messages.append(f"{folder.name} is laid out as {found.template.family}: {found.reason}")
        return found.template
    if caret["family"] not in FAMILIES:
        raise CaretError(
            f"{folder / 'caret.json'}: family {caret['family']!r} is unknown; known: {known}"
        )
    template = FAMILIES[caret["family"]].fitted(vocabulary.special)
    missing = [name for name in template.sentinels if name not in vocabulary.special]
    if missing:
        raise CaretError(
            f"{folder / 'caret.json'} says {template.family}, but the tokenizer has no "
            f"{missing[0]}; mend one of the two"
        )
    arms = tuple(str(arm) for arm in caret.get("arms") or template.arms)
    unknown = [arm for arm in arms if arm not in template.layouts]
    if unknown:
        raise CaretError(
            f"{folder / 'caret.json'}: {template.family} has no arm {unknown[0]!r}; "
            f"known: {', '.join(template.layouts)}"
        )
    # the pipeline that writes caret.json encodes prefix and middle as one string in SPM
    return replace(template, arms=arms, joined=tuple(arm for arm in arms if arm == "spm"))


def _own_bos(tokenizer_json: str, vocabulary: Vocabulary) -> str | None:
    """Return the token that the tokenizer itself puts before every text, if there is one."""
    post = json.loads(tokenizer_json).get("post_processor") or {}
    steps = post.get("processors") or parts(post)
    for step in steps:
        if step.get("type") == "TemplateProcessing":
            first = (step.get("single") or [{}])[0]
            name = (first.get("SpecialToken") or {}).get("id")
            return name if name in vocabulary.special else None
    return None


def _refuse_short_embedding(
    template: Template, vocabulary: Vocabulary, config: Mapping[str, Any], folder: Path
) -> None:
    rows = config.get("vocab_size")
    for name in template.sentinels:
        if isinstance(rows, int) and vocabulary.special[name] >= rows:
            raise CaretError(
                f"{folder.name}: {name} is token {vocabulary.special[name]}, but the model has "
                f"{rows} rows (vocab_size): tokenizer and weights do not belong together"
            )


def _positions(config: Mapping[str, Any]) -> int:
    for key in ("max_position_embeddings", "n_positions", "seq_length"):
        value = config.get(key)
        if isinstance(value, int) and value > 0:
            return value
    return 0


def _stop_ids(
    folder: Path, template: Template, vocabulary: Vocabulary, config: Mapping[str, Any]
) -> tuple[int, ...]:
    ids = {vocabulary.special[n] for n in template.stop_names if n in vocabulary.special}
    for tree in (config, _json(folder / "generation_config.json")):
        value = tree.get("eos_token_id")
        ids.update(i for i in (value if isinstance(value, list) else [value]) if isinstance(i, int))
    eos = _json(folder / "tokenizer_config.json").get("eos_token")
    name = eos.get("content") if isinstance(eos, dict) else eos
    if isinstance(name, str) and name in vocabulary.special:
        ids.add(vocabulary.special[name])
    return tuple(sorted(ids))
