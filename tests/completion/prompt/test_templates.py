import pytest

from completion.healing.vocabulary import Vocabulary
from completion.prompt.templates import (
    FAMILIES,
    SUPPORT,
    TEMPLATES,
    Files,
    Part,
    detect,
    recognise,
)
from tests.completion.families import CASES, tokenizer_json


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_tokenizer_is_told_apart_from_all_others(case):
    found = recognise(Vocabulary.from_json(tokenizer_json(case.name)).special)
    assert found is not None
    assert found.template.family == case.family
    assert found.reason


def test_text_models_without_fim_tokens_are_no_family():
    assert detect({"<s>", "</s>", "<unk>", "<|im_start|>", "<|file_sep|>"}) is None
    assert detect(set()) is None


def test_half_a_family_is_none():
    assert detect({"<fim_prefix>", "<fim_suffix>"}) is None


def test_bare_pipes_are_ambiguous_and_the_reason_says_so():
    found = recognise({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"})
    assert found is not None
    assert found.template.family == "qwen"
    assert "codegemma" in found.reason


def test_qwen_is_not_taken_for_codegemma_when_it_also_chats():
    pipes = {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"}
    assert detect({*pipes, "<|file_sep|>", "<|im_start|>"}).family == "qwen"
    assert detect({*pipes, "<|file_separator|>"}).family == "codegemma"
    assert detect({*pipes, "<|start_of_role|>"}).family == "codegemma"


def test_a_family_without_its_separator_shows_other_files_as_comments():
    old = detect({"<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<filename>"})
    assert old is not None
    assert (old.files, old.separator, old.repository) == (Files.COMMENTS, None, None)


def test_code_llama_tokens_are_found_with_and_without_their_space_mark():
    marked = detect({"▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>", "<s>"})
    bare = detect({"<PRE>", "<SUF>", "<MID>", "<EOT>", "<s>"})
    assert marked.layouts["psm"][2] == "▁<PRE>"
    assert bare.layouts["psm"][2] == "<PRE>"
    assert "<EOT>" in bare.stop_names


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.family)
def test_every_layout_shows_prefix_and_suffix_once_and_suffix_first_only_in_spm(template):
    for arm, layout in template.layouts.items():
        assert layout.count(Part.PREFIX) == layout.count(Part.SUFFIX) == 1
        assert (layout.index(Part.SUFFIX) < layout.index(Part.PREFIX)) == (arm == "spm")
    assert set(template.arms) <= set(template.layouts)
    assert set(template.joined) <= set(template.arms)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.family)
def test_a_middle_ends_at_any_sentinel(template):
    assert set(template.sentinels) <= set(template.stop_names)
    assert template.ends


def test_nobody_claims_to_have_been_tried_with_real_weights():
    assert not any(template.tried_with_real_weights for template in TEMPLATES)
    assert [line.family for line in SUPPORT] == list(FAMILIES)
