"""Defects that other tools' filters have had; each test is named for the tool and what went wrong."""

from __future__ import annotations

import pytest

from completion.filters import pipeline
from completion.filters.cursor import Cursor
from completion.filters.stop_rule import StopReason, StopRule
from completion.syntax.languages import LANGUAGES, language_for
from completion.wire import completion_pb2 as pb

IDS = [
    "python",
    "javascript",
    "typescript",
    "go",
    "rust",
    "java",
    "cpp",
    "csharp",
    "ruby",
    "shellscript",
]


def at(prefix: str, suffix: str, language: str = "python", **options) -> Cursor:
    return Cursor(
        prefix=prefix.encode(),
        suffix=suffix.encode(),
        language=language_for(language, ""),
        **options,
    )


def shown(cursor: Cursor, generated: str) -> pipeline.Result:
    """Return what an editor gets of ``generated``: the stop rule, then the filters."""
    rule = StopRule(cursor)
    rule.feed(generated.encode())
    stop = rule.finish(StopReason.MODEL)
    return pipeline.run_stopped(generated.encode(), rule.middle, stop, cursor)


def document(cursor: Cursor, result: pipeline.Result) -> bytes:
    return cursor.prefix + result.text + cursor.suffix[result.replace_after :]


@pytest.mark.parametrize(
    "generated", ["\n    a = 1\n\n    b = 2", "\n\n\n    a = 1", "\r\n    a\n\r\n    b"]
)
def test_tabby_crlf_a_leading_line_end_and_every_doubled_one_is_the_documents(generated):
    cursor = at("def f():", "\r\nx = 1\r\n", eol=b"\r\n")
    made = document(cursor, pipeline.run(generated.encode(), cursor))
    assert made.startswith(b"def f():\r\n")
    assert made.count(b"\r\n") == made.count(b"\n") == made.count(b"\r")


@pytest.mark.parametrize("language", IDS)
@pytest.mark.parametrize("indent", ["    ", "\t", "  "])
def test_tabby_suffix_lines_are_found_on_indented_code_too(language, indent):
    cursor = at(f"{indent}a(\n{indent}", f"\n{indent}more(first, second)\n", language)
    result = pipeline.run(f"b(c)\n{indent}more(first, second)".encode(), cursor)
    assert result.text == b"b(c)"


def test_tabby_suffix_lines_with_another_indentation_are_other_lines():
    cursor = at("def f():\n    ", "\n    return total(x)\n")
    text = b"if x:\n        return total(x)"
    assert pipeline.run(text, cursor).text == text


@pytest.mark.parametrize("language", IDS)
@pytest.mark.parametrize(
    ("prefix", "generated", "suffix"),
    [
        ("foo(", "a).b", ") + bar(c)"),
        ("foo(bar(", "a)).b", "))[0]"),
        ("x = [", "1, 2]", "] + y"),
        ("foo(", "abc + bar(c)", " + abc)"),
        ("foo(", "a, b, c", ", d, c)"),
    ],
)
def test_cody_never_overwrites_a_character_that_is_no_closer(language, prefix, generated, suffix):
    result = shown(at(prefix, suffix + "\n", language), generated)
    assert not suffix[: result.replace_after].strip(")]}\"'`")
    assert suffix[result.replace_after :].lstrip(")]}\"'`") == suffix.lstrip(")]}\"'`")


def test_cody_a_subsequence_of_the_suffix_overwrites_nothing():
    cursor = at("call(", ", left, right)\n")
    result = pipeline.run(b"origin, left + 1, right - 1", cursor)
    assert (result.text, result.replace_after) == (b"origin, left + 1, right - 1", 0)


SPELLED = [
    "<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|file_sep|>", "<|im_end|>", "<fim_suffix>",
    "<fim-middle>", "<file_sep>", "<｜fim▁hole｜>", "<｜end▁of▁sentence｜>", "<|EOT|>", " <EOT>", "<PRE>",
    "[SUFFIX]", "<[fim-middle]>", "<[end▁of▁sentence]>", "<|code_suffix|>", "<end_of_turn>",
    "<|file_separator|>", "<|end_of_text|>",
]  # fmt: skip


@pytest.mark.parametrize("sentinel", SPELLED)
def test_special_tokens_never_leak_whole(sentinel):
    cursor = at("x = ", "\n")
    assert shown(cursor, f"total(a){sentinel}def g():").text == b"total(a)"


@pytest.mark.parametrize(
    "sentinel", [one for one in SPELLED if one.strip()[:2] in ("<|", "<｜", "<[")]
)
def test_special_tokens_never_leak_cut_in_two(sentinel):
    cursor = at("x = ", "\n")
    for size in range(3, len(sentinel)):
        assert shown(cursor, "total(a)" + sentinel[:size]).text == b"total(a)", sentinel[:size]


def test_special_tokens_that_the_file_itself_spells_out_are_its_text():
    cursor = at('END = "<|endoftext|>"\nassert text.endswith("', '")\n')
    assert shown(cursor, "<|endoftext|>").text == b"<|endoftext|>"


@pytest.mark.parametrize("language", IDS)
def test_text_after_the_cursor_is_not_repeated_on_its_line(language):
    cursor = at("call(", ", last_one)\n", language)
    assert shown(cursor, "first, last_one)").text == b"first"


@pytest.mark.parametrize("language", IDS)
def test_text_after_the_cursor_is_not_repeated_in_the_next_lines(language):
    cursor = at("    first(a)\n    ", "\n    third(c, d)\n    fourth(e)\n", language)
    result = shown(cursor, "second(b)\n    third(c, d)\n    fourth(e)\n")
    assert result.text == b"second(b)"


@pytest.mark.parametrize("junk", [")", "1)", "):", "x ", '"', "é)", "];"])
def test_junk_of_two_characters_is_not_suggested_by_itself(junk):
    cursor = at("value = compute", "\n", least=3)
    assert pipeline.run(junk.encode(), cursor).declined in ("too_short", "filtered:balance")
    asked_for = at("value = compute", "\n")
    assert pipeline.run(b"1)", asked_for).text == b"1)"


def test_the_two_letters_that_close_a_gap_are_no_junk():
    cursor = at("raise", "lueError(text)\n", least=3)
    assert shown(cursor, " ValueError(text)").text == b" Va"
    assert shown(cursor, " V.").declined == "too_short"


@pytest.mark.parametrize("language", [language.ids[0] for language in LANGUAGES])
def test_an_extra_space_is_not_put_behind_one(language):
    cursor = at("x = ", "\n", language)
    if cursor.place.state.stack:  # HTML and its like: that is text, and blanks in it are its own
        assert pipeline.run(b" total", cursor).text == b" total"
    else:
        assert pipeline.run(b" total", cursor).text == b"total"


def test_an_extra_space_is_not_put_in_front_of_one():
    cursor = at("call(a, ", " c)\n")
    assert document(cursor, pipeline.run(b"b, ", cursor)) == b"call(a, b, c)\n"


def test_every_answer_of_a_request_that_was_made_by_hand_is_shown_however_short():
    from completion.config import GenerationConfig
    from completion.server.job import job_from

    request = pb.CompleteRequest(document=pb.Document(path="a.py", prefix=b"x = "))
    assert job_from(request, GenerationConfig()).cursor.least == GenerationConfig().min_chars
    request.trigger = pb.CompleteRequest.TRIGGER_INVOKED
    assert job_from(request, GenerationConfig()).cursor.least == 0
