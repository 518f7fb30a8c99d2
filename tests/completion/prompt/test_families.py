"""The prompt of each family, against a sequence of sentinels and texts written by hand.

Texts are encoded for the comparison by each family's untouched tokenizer.
"""

import pytest
from tokenizers import Tokenizer

from completion.prompt.builder import PromptBuilder
from completion.prompt.templates import recognise
from completion.prompt.views import DocumentView, SnippetView
from tests.completion.families import BY_NAME, tokenizer_json
from tests.completion.prompt.test_encoder import encoder

P = "def f(x):\n    return "
S = "\n\nprint(f(1))\n"
DOCUMENT = DocumentView(
    path="main.py", language_id="python", comment=b"#", prefix=P.encode(), suffix=S.encode()
)
SNIPPET = SnippetView(path="lib\\util.py", text=b"A = 1", kind="definition")
COMMENT = "# Path: lib/util.py\n# A = 1\n"
FILE = "lib/util.py\nA = 1\n"
TASK = "###PATH:main.py\n###LANGUAGE:Python\n###MODE:BLOCK\n"


class T(str):
    """Text inside the prompt."""

    __slots__ = ()


class First(T):
    """Text that starts as a text of its own does: with SentencePiece's space."""

    __slots__ = ()


PIPES = ["<|fim_prefix|>", T(P), "<|fim_suffix|>", T(S), "<|fim_middle|>"]
PIPES_SPM = ["<|fim_prefix|>", "<|fim_suffix|>", T(S), "<|fim_middle|>", T(P)]
QWEN_FILES = ["<|repo_name|>", T("demo\n"), "<|file_sep|>", T(FILE), "<|file_sep|>", T("main.py\n")]
BEGIN = "<｜begin▁of▁sentence｜>"
DEEPSEEK = ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")

PLAIN = [
    ("qwen", "psm", PIPES),
    ("qwen", "spm", PIPES_SPM),
    ("caret", "spm", PIPES_SPM),
    ("starcoder2", "psm", ["<fim_prefix>", T(P), "<fim_suffix>", T(S), "<fim_middle>"]),
    ("starcoder2", "spm", ["<fim_prefix>", "<fim_suffix>", T(S), "<fim_middle>", T(P)]),
    ("starcoder1", "psm", ["<fim_prefix>", T(P), "<fim_suffix>", T(S), "<fim_middle>"]),
    ("santacoder", "psm", ["<fim-prefix>", T(P), "<fim-suffix>", T(S), "<fim-middle>"]),
    ("deepseek", "psm", [BEGIN, DEEPSEEK[0], T(P), DEEPSEEK[1], T(S), DEEPSEEK[2]]),
    ("codellama", "psm", ["<s>", "▁<PRE>", First(P), "▁<SUF>", T(S), "▁<MID>"]),
    ("codellama", "spm", ["<s>", "▁<PRE>", "▁<SUF>", T(S), "▁<MID>", First(P)]),
    ("codestral", "spm", ["<s>", "[SUFFIX]", T(S), "[PREFIX]", First(P)]),
    ("codegemma", "psm", ["<bos>", *PIPES]),
    ("granite4", "psm", PIPES),
    ("seedcoder", "spm", ["<[fim-suffix]>", T(S), "<[fim-prefix]>", T(P), "<[fim-middle]>"]),
    ("codegeex4", "spm", [
        "[gMASK]", "<sop>", "<|user|>", T("\n"), T(TASK), "<|code_suffix|>", T(S),
        "<|code_prefix|>", T(P), "<|code_middle|>", "<|assistant|>", T("\n")]),
]  # fmt: skip

WITH_FILES = [
    ("qwen", "psm", [*QWEN_FILES, *PIPES]),
    ("caret", "spm", [*QWEN_FILES, *PIPES_SPM]),
    ("starcoder2", "psm", [
        "<repo_name>", T("demo"), "<file_sep>", T(FILE), "<file_sep>",
        "<fim_prefix>", T("main.py\n" + P), "<fim_suffix>", T(S), "<fim_middle>"]),
    ("starcoder1", "psm", ["<fim_prefix>", T(COMMENT + P), "<fim_suffix>", T(S), "<fim_middle>"]),
    ("santacoder", "psm", ["<fim-prefix>", T(COMMENT + P), "<fim-suffix>", T(S), "<fim-middle>"]),
    ("deepseek", "psm", [
        BEGIN, DEEPSEEK[0], T("#" + FILE + "#main.py\n" + P), DEEPSEEK[1], T(S), DEEPSEEK[2]]),
    ("codellama", "psm", ["<s>", "▁<PRE>", First(COMMENT + P), "▁<SUF>", T(S), "▁<MID>"]),
    ("codellama", "spm", ["<s>", "▁<PRE>", "▁<SUF>", T(S), "▁<MID>", First(COMMENT + P)]),
    ("codestral", "spm", [
        "<s>", "[SUFFIX]", T(S), "[PREFIX]", First("+++++ " + FILE + "+++++ main.py\n" + P)]),
    ("codegemma", "psm", [
        "<bos>", "<|file_separator|>", T(FILE), "<|file_separator|>", T("main.py\n"), *PIPES]),
    ("granite4", "psm", [
        "<|fim_prefix|>", T(COMMENT + P), "<|fim_suffix|>", T(S), "<|fim_middle|>"]),
    ("seedcoder", "spm", [
        "<[fim-suffix]>", T(S), "<[fim-prefix]>", T(COMMENT + P), "<[fim-middle]>"]),
    ("codegeex4", "spm", [
        "[gMASK]", "<sop>", "<|user|>", T("\n"), T("###REFERENCE:\n###PATH:" + FILE), T(TASK),
        "<|code_suffix|>", T(S), "<|code_prefix|>", T(P), "<|code_middle|>", "<|assistant|>",
        T("\n")]),
]  # fmt: skip


def ids_of(name: str, expected: list[str]) -> list[int]:
    tokenizer = Tokenizer.from_str(tokenizer_json(name))

    def plain(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    def inner(text: str) -> list[int]:  # as Meta's own code does it: behind a character cut off
        return plain("☺" + text)[len(plain("☺")) :]

    ids: list[int] = []
    for item in expected:
        if isinstance(item, First) or (isinstance(item, T) and BY_NAME[name].split != "llama"
                                       and BY_NAME[name].split != "metaspace"):  # fmt: skip
            ids += plain(item)
        elif isinstance(item, T):
            ids += inner(item)
        else:
            ids.append(tokenizer.token_to_id(item))
    return ids


def builder(name: str, arm: str, **more) -> PromptBuilder:
    own = encoder(name)
    template = recognise(own.vocabulary.special).template
    return PromptBuilder(
        encoder=own,
        template=template,
        vocabulary=own.vocabulary,
        **({"context_tokens": 1024, "arm": arm} | more),
    )


@pytest.mark.parametrize(
    ("name", "arm", "expected"), PLAIN, ids=lambda v: v if type(v) is str else ""
)
def test_without_other_files_the_prompt_is_plain_fim(name, arm, expected):
    prompt = builder(name, arm).build(DOCUMENT, repo_name="demo")
    assert prompt.token_ids == ids_of(name, expected)
    assert prompt.arm == f"naive_{arm}"


@pytest.mark.parametrize(
    ("name", "arm", "expected"), WITH_FILES, ids=lambda v: v if type(v) is str else ""
)
def test_other_files_stand_where_the_family_saw_them(name, arm, expected):
    prompt = builder(name, arm).build(DOCUMENT, [SNIPPET], repo_name="demo")
    assert prompt.token_ids == ids_of(name, expected)
    assert prompt.used == (SNIPPET,)


@pytest.mark.parametrize(
    ("name", "arm", "expected"), WITH_FILES, ids=lambda v: v if type(v) is str else ""
)
def test_explain_shows_what_was_sent(name, arm, expected):
    prompt = builder(name, arm).build(DOCUMENT, [SNIPPET], repo_name="demo")
    assert prompt.text() == "".join(expected).encode()
    assert sum(piece.tokens for piece in prompt.pieces) == len(prompt.token_ids)
    inside = prompt.token_ids[prompt.prefix_start : prompt.prefix_start + prompt.prefix_tokens]
    assert encoder(name).vocabulary.bytes_of(inside).removeprefix(b" ") == prompt.prefix_text


def test_without_a_repository_name_there_is_no_line_for_it():
    prompt = builder("qwen", "psm").build(DOCUMENT, [SNIPPET])
    assert b"<|repo_name|>" not in prompt.text()
    assert prompt.text().startswith(b"<|file_sep|>lib/util.py\n")
