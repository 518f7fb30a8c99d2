"""How each family of models wants its prompt: one table, one row a family.

A layout is a tuple of sentinels (text, looked up among the tokenizer's special tokens) and
:class:`Part` values, in the order of the prompt. It knows names, not ids, and runs nothing.
Sources: the models' cards and papers; HEALING.md's "encoded as one string" is ``joined``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import NamedTuple

from completion.healing.spelling import SPACE_MARK


class Part(Enum):
    """What stands between sentinels."""

    FILES = auto()
    """Other files, where the family has a place for them before the cursor's file."""
    HEADER = auto()
    """The path of the cursor's file, only where other files go before it."""
    TASK = auto()
    """CodeGeeX4's lines of path, language and mode."""
    PREFIX = auto()
    SUFFIX = auto()
    NEWLINE = auto()


class Files(Enum):
    """How other files are shown."""

    SEPARATORS = auto()
    """Each after a separator of the tokenizer, path on a line of its own."""
    COMMENTS = auto()
    """As comments at the start of the prefix: for families that saw one file at a time."""
    PLAIN = auto()
    """As text at the start of the prefix, each under a marked path; the cursor's file too."""
    REFERENCES = auto()
    """CodeGeeX4's ``###REFERENCE:`` blocks."""


Layout = tuple[str | Part, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """One family of models."""

    family: str
    models: str
    """Which models are meant, for people."""
    layouts: Mapping[str, Layout]
    """Arm (``psm``: prefix before suffix, ``spm``: suffix first) to layout."""
    arms: tuple[str, ...]
    """Arms that the family was trained on, its default first."""
    joined: tuple[str, ...] = ()
    """Arms trained with prefix and middle encoded as one string; the others apart."""
    files: Files = Files.COMMENTS
    repository: str | None = None
    separator: str | None = None
    path_mark: bytes = b""
    """Before the path of a file, with :attr:`Files.PLAIN`."""
    repository_line: bool = True
    """Whether the repository's name is on a line of its own."""
    bos: str | None = None
    """The token that opens every text; None: only what the tokenizer itself puts there."""
    dummy_prefix: bool = False
    """Whether the text of the prefix starts with SentencePiece's extra space (suffix: never)."""
    ends: tuple[str, ...] = ()
    """Tokens that end a middle. The FIM sentinels and the eos token always do as well."""
    optional: tuple[str, ...] = ()
    """Sentinels of the layouts that are left out where the tokenizer has none such."""
    tells: tuple[str, ...] = ()
    """Where two families share sentinels: having one of these decides for this family."""
    tried_with_real_weights: bool = False
    """False: only ever run on tiny random weights with this family's tokens."""

    @property
    def sentinels(self) -> tuple[str, ...]:
        """Return the FIM sentinels that every model of the family has."""
        names = {item: None for layout in self.layouts.values() for item in layout}
        return tuple(n for n in names if isinstance(n, str) and n not in self.optional)

    @property
    def stop_names(self) -> tuple[str, ...]:
        """Return every token that ends a middle: the ends, and whatever opens something new."""
        more = (self.separator, self.repository, self.bos, *self.optional)
        names = [*self.ends, *self.sentinels, *(name for name in more if name)]
        return tuple(dict.fromkeys(names))

    def fitted(self, tokens: Collection[str]) -> Template:
        """Return this template in the spelling of ``tokens``, without what they do not have.

        ``▁<PRE>`` may be called ``<PRE>``; a missing separator makes other files comments.
        """

        def own(name: str) -> str:
            bare = name.removeprefix(SPACE_MARK)
            return name if name in tokens or bare not in tokens else bare

        def layout(items: Layout) -> Layout:
            return tuple(
                own(item) if isinstance(item, str) else item
                for item in items
                if item not in self.optional or item in tokens
            )

        separator = self.separator if self.separator in tokens else None
        comments = self.files is Files.SEPARATORS and separator is None
        return replace(
            self,
            layouts={arm: layout(items) for arm, items in self.layouts.items()},
            separator=separator,
            repository=self.repository if self.repository in tokens else None,
            files=Files.COMMENTS if comments else self.files,
            bos=self.bos if self.bos in tokens else None,
            ends=tuple(own(name) for name in self.ends),
            optional=tuple(name for name in self.optional if name in tokens),
        )


class Detected(NamedTuple):
    """A family and why it was chosen."""

    template: Template
    reason: str


def _fim(prefix: str, suffix: str, middle: str) -> dict[str, Layout]:
    """Both orders for families whose three sentinels open the three parts."""
    head: Layout = (Part.FILES, Part.HEADER)
    return {
        "psm": (*head, prefix, Part.PREFIX, suffix, Part.SUFFIX, middle),
        "spm": (*head, prefix, suffix, Part.SUFFIX, middle, Part.PREFIX),
    }


_PIPES = _fim("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_STAR = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_NAMED_PREFIX = (Part.HEADER, Part.PREFIX)
_SANTA = _fim("<fim-prefix>", "<fim-suffix>", "<fim-middle>")
_DEEPSEEK = ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")
_LLAMA = _fim("▁<PRE>", "▁<SUF>", "▁<MID>")

TEMPLATES: tuple[Template, ...] = (
    Template(
        family="qwen",
        models="Caret's own, Qwen2.5-Coder, CodeQwen1.5",
        layouts=_PIPES,
        arms=("psm",),  # caret.json of a model of ours says what more it was trained on
        files=Files.SEPARATORS,
        repository="<|repo_name|>",
        separator="<|file_sep|>",
        ends=("<|endoftext|>", "<|fim_pad|>", "<|im_start|>", "<|im_end|>", "<|cursor|>"),
        tells=("<|file_sep|>", "<|repo_name|>"),
    ),
    Template(
        family="codegemma",
        models="CodeGemma, Granite 4",
        layouts=_PIPES,
        arms=("psm",),
        files=Files.SEPARATORS,
        separator="<|file_separator|>",
        bos="<bos>",
        ends=("<eos>", "<|end_of_text|>", "<end_of_turn>", "<|fim_pad|>", "<|filename|>",
              "<|reponame|>", "<|start_of_role|>", "<|end_of_role|>"),
        tells=("<|file_separator|>", "<|filename|>", "<|start_of_role|>", "<start_of_turn>"),
    ),
    Template(
        family="starcoder",
        models="StarCoder, StarCoder2, StableCode, Granite Code and Granite 3",
        layouts={
            # StarCoder2's card: the path stands inside the prefix, after its sentinel
            "psm": (Part.FILES, _STAR[0], *_NAMED_PREFIX, _STAR[1], Part.SUFFIX, _STAR[2]),
            "spm": (Part.FILES, _STAR[0], _STAR[1], Part.SUFFIX, _STAR[2], *_NAMED_PREFIX),
        },
        arms=("psm", "spm"),  # half of StarCoder's FIM was SPM, its three parts encoded apart
        files=Files.SEPARATORS,
        repository="<repo_name>",
        separator="<file_sep>",
        repository_line=False,
        ends=("<|endoftext|>", "<fim_pad>", "<filename>", "<reponame>", "<gh_stars>",
              "<issue_start>", "<jupyter_start>", "<|end_of_text|>", "<|im_end|>"),
    ),
    Template(
        family="santacoder",
        models="SantaCoder",
        layouts=_SANTA,
        arms=("psm", "spm"),
        ends=("<|endoftext|>", "<fim-pad>"),
    ),
    Template(
        family="deepseek",
        models="DeepSeek-Coder, DeepSeek-Coder-V2",
        layouts={
            "psm": (_DEEPSEEK[0], Part.PREFIX, _DEEPSEEK[1], Part.SUFFIX, _DEEPSEEK[2]),
        },
        arms=("psm",),
        files=Files.PLAIN,
        path_mark=b"#",
        bos="<｜begin▁of▁sentence｜>",
        ends=("<｜end▁of▁sentence｜>", "<|EOT|>"),
    ),
    Template(
        family="codellama",
        models="Code Llama 7B, 13B and 70B",
        layouts=_LLAMA,
        arms=("psm", "spm"),
        joined=("spm",),  # the paper, 2.3: prefix and middle are concatenated before encoding
        bos="<s>",
        dummy_prefix=True,
        ends=("▁<EOT>", "</s>"),
    ),
    Template(
        family="codestral",
        models="Codestral, Codestral Mamba",
        layouts={"spm": ("[SUFFIX]", Part.SUFFIX, "[PREFIX]", Part.PREFIX)},
        arms=("spm",),
        files=Files.PLAIN,
        path_mark=b"+++++ ",
        bos="<s>",
        dummy_prefix=True,
        ends=("</s>", "[MIDDLE]", "[INST]", "[/INST]"),
    ),
    Template(
        family="seedcoder",
        models="Seed-Coder",
        layouts={
            "spm": ("<[fim-suffix]>", Part.SUFFIX, "<[fim-prefix]>", Part.PREFIX, "<[fim-middle]>")
        },
        arms=("spm",),
        ends=("<[end▁of▁sentence]>", "<[PAD▁TOKEN]>", "<[SEP▁TOKEN]>"),
    ),
    Template(
        family="codegeex4",
        models="CodeGeeX4",
        layouts={
            "spm": (
                "[gMASK]", "<sop>", "<|user|>", Part.NEWLINE, Part.FILES, Part.TASK,
                "<|code_suffix|>", Part.SUFFIX, "<|code_prefix|>", Part.PREFIX, "<|code_middle|>",
                "<|assistant|>", Part.NEWLINE,
            )
        },
        arms=("spm",),
        files=Files.REFERENCES,
        ends=("<|endoftext|>", "<|user|>", "<|observation|>"),
        optional=("[gMASK]", "<sop>", "<|user|>", "<|assistant|>"),
    ),
)  # fmt: skip

FAMILIES: Mapping[str, Template] = {template.family: template for template in TEMPLATES}


def recognise(tokens: Collection[str]) -> Detected | None:
    """Return the family whose sentinels are all among ``tokens``, and why it is that one.

    ``tokens`` are the names of the tokenizer's added tokens. None: the model has no FIM sentinels
    that are known.
    """
    fits = [t for t in TEMPLATES if all(_has(tokens, name) for name in t.sentinels)]
    if not fits:
        return None
    reason = f"it has {', '.join(fits[0].sentinels)}"
    chosen = fits[0]
    if len(fits) > 1:
        told = [(t, name) for t in fits for name in t.tells if name in tokens]
        if told:
            chosen, name = told[0]
            reason = f"it has {name} beside {', '.join(chosen.sentinels)}"
        else:
            others = ", ".join(t.family for t in fits[1:])
            reason += f"; nothing tells it from {others}, which lay plain FIM out the same way"
    return Detected(chosen.fitted(tokens), reason)


def detect(tokens: Collection[str]) -> Template | None:
    """Return the template of the family that ``tokens`` belong to; see :func:`recognise`."""
    found = recognise(tokens)
    return None if found is None else found.template


def _has(tokens: Collection[str], name: str) -> bool:
    return name in tokens or name.removeprefix(SPACE_MARK) in tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """One line of the table of families that the README shows."""

    family: str
    models: str
    arms: str
    tried: str = field(default="tiny random weights with its tokens, in the real engine")


SUPPORT: tuple[Support, ...] = tuple(
    Support(family=t.family, models=t.models, arms=", ".join(t.arms)) for t in TEMPLATES
)
"""None but the bundled model (of family ``qwen``) has been tried with real weights."""


def support_table() -> str:
    """Return the Markdown table of the families; the README holds exactly this text."""
    lines = ["| family | models | prompt layouts |", "| --- | --- | --- |"]
    lines += [f"| `{s.family}` | {s.models} | {s.arms} |" for s in SUPPORT]
    return "\n".join(lines)
