"""A model's tokenizer reduced to one that only encodes text.

``tokenizer.json`` does more than split text: it finds sentinels in it, normalises it (Qwen: NFC),
puts a space or a BOS before it. All of that is taken out here, so that what is left maps any text
to ordinary tokens that spell exactly that text. A tokenizer that loses text by itself (in lower
case, without blanks) stays as its model knows it, but for the sentinels, and what it loses is said.
JSON in, JSON out; the library is loaded only by :func:`load_text_tokenizer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from completion.errors import CaretError
from completion.healing.spelling import SPACE_MARK, dropping, parts
from completion.healing.vocabulary import Vocabulary

EncodeText = Callable[[str], list[int]]
"""Token ids of a text, no special token among them unless the tokenizer is at fault."""

PROBE = (
    " \n\n\tclass A(b):  # Not \\ two\n\t\treturn  {'x': [1.5, -2], \"y\": a != ~b & c | d ^ e @ f}\r\n"
    "    if a<=b%10>=$q`;+/*?,_.:  ZQJKXVW\n  "
)
"""Text that no normaliser of a model of code may change: blanks of each kind, both cases, signs."""
_NOWHERE = "\U0010ffff"
"""In the name of a piece that no text is to find: no character of any text."""


class TextTokenizer(NamedTuple):
    """What encodes text, and what it loses of it."""

    encode: EncodeText
    loses: str
    """What becomes of text before it is split, in a few words; empty: nothing is lost."""


def text_only(tree: dict[str, Any], vocabulary: Vocabulary) -> str:
    """Return ``tokenizer.json`` without sentinels, normalisation, dummy prefix and BOS.

    ``tree`` is what it holds, and is changed.
    """
    _take_sentinels_out(tree, vocabulary)
    tree["normalizer"] = (
        {"type": "Replace", "pattern": {"String": " "}, "content": SPACE_MARK}
        if vocabulary.spelling == "sentencepiece"
        else None
    )
    for step in parts(tree.get("pre_tokenizer")):
        if "add_prefix_space" in step:
            step["add_prefix_space"] = False
        if step.get("type") == "Metaspace":
            step["prepend_scheme"] = "never"
    return json.dumps(tree)


def as_it_is(tree: dict[str, Any], vocabulary: Vocabulary) -> str:
    """Return ``tokenizer.json`` without sentinels and BOS; ``tree`` as in :func:`text_only`."""
    _take_sentinels_out(tree, vocabulary)
    return json.dumps(tree)


def load_text_tokenizer(tokenizer_json: str, vocabulary: Vocabulary) -> TextTokenizer:
    """Return the encoder of text that ``tokenizer.json`` holds, run by the tokenizers library.

    Raises:
        CaretError: the library cannot read it.
    """
    from tokenizers import Tokenizer

    try:
        tree = cast("dict[str, Any]", json.loads(tokenizer_json))
        loses = _loses(tree)
        reduced = (as_it_is if loses else text_only)(tree, vocabulary)
        tokenizer = Tokenizer.from_str(reduced)
    except Exception as error:  # the library raises nothing more exact
        raise CaretError(f"tokenizer.json cannot be loaded ({error}); fetch it again") from None

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    return TextTokenizer(encode, loses)


def _take_sentinels_out(tree: dict[str, Any], vocabulary: Vocabulary) -> None:
    """Leave nothing but text for tokens and nothing that is put around a text.

    Added tokens that are ordinary text stay (models indent with them): they move into the
    vocabulary under their own ids, because an added token outside it would be numbered anew.
    """
    vocab = cast("dict[str, int] | list[list[Any]]", tree["model"]["vocab"])
    kept: list[dict[str, Any]] = []
    for token in cast("list[dict[str, Any]]", tree.get("added_tokens") or []):
        name = str(token["content"])
        if name not in vocabulary.text_tokens or SPACE_MARK in name:
            continue  # a run of ▁ would match only a literal U+2581, which is no space
        if isinstance(vocab, dict):
            vocab.setdefault(name, token["id"])
        elif int(token["id"]) >= len(vocab):
            continue  # Unigram numbers its pieces by their place: no room for it there
        kept.append({**token, "special": False, "lstrip": False, "rstrip": False,
                     "single_word": False, "normalized": False})  # fmt: skip
    if isinstance(vocab, list):  # Unigram finds every piece in a text, the sentinels' names too
        for at in vocabulary.special_ids:
            if at < len(vocab):
                vocab[at][0] = f"{_NOWHERE}{at}"
    tree["added_tokens"] = kept
    tree["post_processor"] = None
    tree["truncation"] = None
    tree["padding"] = None
    tree["model"]["dropout"] = None


def _loses(tree: dict[str, Any]) -> str:
    """Return what the tokenizer loses of a text before it is split, found by trying it."""
    name = dropping(parts(tree.get("pre_tokenizer")))
    if name:
        return f"drops what stands between words ({name})"
    for step in parts(tree.get("normalizer")):
        changed = _normalised(step).replace(SPACE_MARK, " ")
        if changed not in (PROBE, " " + PROBE):
            return f"changes text before it encodes it ({step.get('type')})"
    return ""


def _normalised(step: dict[str, Any]) -> str:
    from tokenizers import Tokenizer

    model: dict[str, Any] = {"type": "BPE", "vocab": {}, "merges": []}
    alone: dict[str, Any] = {"version": "1.0", "normalizer": step, "model": model}
    normalizer: Any = Tokenizer.from_str(json.dumps(alone)).normalizer
    return normalizer.normalize_str(PROBE)
