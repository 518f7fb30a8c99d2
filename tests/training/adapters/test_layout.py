"""Examples of every family are the server's own prompts with the middle and the end behind them."""

from __future__ import annotations

from typing import Any

import pytest

from completion.prompt.builder import PromptBuilder
from completion.prompt.templates import FAMILIES
from completion.prompt.views import DocumentView, SnippetView
from tests.completion.families import BY_NAME, CASES
from training.adapters.base import Base, load_base
from training.adapters.layout import joins, trained_arms
from training.data.layouts import Ahead

NAMES = [case.name for case in CASES if case.name != "unigram"]
PREFIX, MIDDLE, SUFFIX = "def f(x):\n    return ", "x + 1", "\n\nprint(f(1))\n"
OTHER = ("pkg/s.py", "A = 1\nB = 'ä'\n")
PATH = "pkg/m.py"


@pytest.fixture(params=NAMES)
def base(request: pytest.FixtureRequest, bases: Any) -> Base:
    return load_base(str(bases(request.param)))


def prompt_of(base: Base, arm: str, snippets: list[SnippetView]) -> list[int]:
    checkpoint = base.checkpoint
    builder = PromptBuilder(
        encoder=checkpoint.encoder, template=checkpoint.template, vocabulary=checkpoint.vocabulary,
        context_tokens=512, arm=arm,
    )  # fmt: skip
    document = DocumentView(
        path=PATH, prefix=PREFIX.encode(), suffix=SUFFIX.encode(), language_id="python"
    )
    return builder.build(document, snippets, max_tokens=8, repo_name="repo").token_ids


def text_of(base: Base, ids: list[int]) -> str:
    return base.checkpoint.vocabulary.bytes_of(ids).decode()


@pytest.mark.parametrize("shown", [False, True])
def test_prompt_part_of_an_example_is_what_the_server_sends(base: Base, shown: bool) -> None:
    layout, template = base.layout, base.checkpoint.template
    ahead = layout.ahead("repo", PATH, [OTHER] if shown else [])
    snippets = [SnippetView(path=OTHER[0], text=OTHER[1].encode())] if shown else []
    for arm in template.layouts:
        laid = layout.fim((PREFIX, MIDDLE, SUFFIX), ahead, limit=400, suffix_first=arm == "spm")
        assert laid is not None
        assert laid.ids[-1] == layout.end
        assert layout.end in base.checkpoint.stop_ids
        prompt = prompt_of(base, arm, snippets)
        if joins(template, arm):  # the last tokens of the prefix may be one with the middle
            said = text_of(base, laid.ids)
            assert said == text_of(base, prompt) + MIDDLE
            same = [a == b for a, b in zip(laid.ids, prompt, strict=False)]
            shared = [*same, False].index(False)
            assert shared >= len(prompt) - 3
        else:
            assert laid.ids[: len(prompt)] == prompt
            assert text_of(base, laid.ids[len(prompt) :]) == MIDDLE


def test_stretches_name_the_very_text_that_they_stand_for(base: Base) -> None:
    for files in ([], [OTHER]):
        ahead = base.layout.ahead("repo", PATH, files)
        for limit in (400, 60 + ahead.size):
            for suffix_first in (False, True):
                parts = (PREFIX * 2, MIDDLE, SUFFIX * 2)
                laid = base.layout.fim(parts, ahead, limit=limit, suffix_first=suffix_first)
                if laid is None:
                    continue
                assert len(laid.ids) <= limit
                text = "".join(parts)
                assert laid.stretches
                for s in laid.stretches:
                    said = text_of(base, laid.ids[s.first : s.last])
                    if s.anchored_end:
                        assert text[: s.anchor].endswith(said)
                    else:
                        assert text[s.anchor :].startswith(said)


def test_family_without_an_order_keeps_to_its_own(bases: Any) -> None:
    base = load_base(str(bases("deepseek")))
    parts, ahead = (PREFIX, MIDDLE, SUFFIX), Ahead(path=PATH)
    psm, spm = (base.layout.fim(parts, ahead, limit=200, suffix_first=s) for s in (False, True))
    assert psm == spm
    assert trained_arms(FAMILIES["deepseek"], 0.5) == ("psm",)
    assert trained_arms(FAMILIES["qwen"], 0.5) == ("psm", "spm")
    assert trained_arms(FAMILIES["qwen"], 0.0) == ("psm",)
    assert trained_arms(FAMILIES["codestral"], 0.0) == ("spm",)


@pytest.mark.parametrize(
    ("name", "end"),
    [("qwen", "<|endoftext|>"), ("starcoder2", "<|endoftext|>"), ("codellama", "▁<EOT>"),
     ("codestral", "</s>"), ("granite4", "<|end_of_text|>"),
     ("deepseek", "<｜end▁of▁sentence｜>"), ("seedcoder", "<[end▁of▁sentence]>")],
)  # fmt: skip
def test_end_is_the_familys_own(name: str, end: str, bases: Any) -> None:
    base = load_base(str(bases(name)))
    assert base.layout.end == base.checkpoint.vocabulary.special[end]
    bos = BY_NAME[name].bos
    expected = base.checkpoint.vocabulary.special[bos] if bos else base.layout.end
    assert base.layout.start == expected


def test_middle_that_leaves_no_room_is_refused(base: Base) -> None:
    parts = (PREFIX, MIDDLE * 40, SUFFIX)
    for suffix_first in (False, True):
        laid = base.layout.fim(parts, Ahead(path=PATH), limit=64, suffix_first=suffix_first)
        assert laid is None
