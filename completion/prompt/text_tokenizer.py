"""A model's tokenizer reduced to one that only encodes text.

``tokenizer.json`` does more than split text: it finds sentinels in it, normalises it (Qwen: NFC),
puts a space or a BOS before it. All of that is taken out here, so that what is left maps any text
to ordinary tokens that spell exactly that text. JSON in, JSON out; the library is loaded only by
:func:`load_text_tokenizer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from completion.errors import CaretError
from completion.healing.vocabulary import SPACE_MARK, Vocabulary, parts

EncodeText = Callable[[str], list[int]]
"""Token ids of a text, no special token among them unless the tokenizer is at fault."""


def text_only(tokenizer_json: str, vocabulary: Vocabulary) -> str:
    """Return ``tokenizer.json`` without sentinels, normalisation, dummy prefix and BOS.

    Added tokens that are ordinary text stay (models indent with them): they move into the
    vocabulary under their own ids, because an added token outside it would be numbered anew.
    """
    tree = cast("dict[str, Any]", json.loads(tokenizer_json))
    kept: list[dict[str, Any]] = []
    for token in cast("list[dict[str, Any]]", tree.get("added_tokens") or []):
        name = str(token["content"])
        if name not in vocabulary.text_tokens or SPACE_MARK in name:
            continue  # a run of ▁ would match only a literal U+2581, which is no space
        tree["model"]["vocab"].setdefault(name, token["id"])
        kept.append({**token, "special": False, "lstrip": False, "rstrip": False,
                     "single_word": False, "normalized": False})  # fmt: skip
    tree["added_tokens"] = kept
    tree["post_processor"] = None
    tree["truncation"] = None
    tree["padding"] = None
    tree["model"]["dropout"] = None
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


def load_text_tokenizer(tokenizer_json: str, vocabulary: Vocabulary) -> EncodeText:
    """Return the encoder of text that ``tokenizer.json`` holds, run by the tokenizers library.

    Raises:
        CaretError: the library cannot read it.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text_only(tokenizer_json, vocabulary))
    except Exception as error:  # the library raises nothing more exact
        raise CaretError(f"tokenizer.json cannot be loaded ({error}); fetch it again") from None

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    return encode
