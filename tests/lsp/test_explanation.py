"""An explanation as Markdown: complete, and nothing in it can break out of its place."""

import re

from completion.wire import completion_pb2 as pb
from lsp.explanation import Explained, explanation


def answered(text: bytes = b"return a + b", **changes) -> Explained:
    response = pb.CompleteResponse(
        model="small",
        candidates=[pb.Candidate(text=text, tokens=4, log_prob=-1.5, stop_reason="STOP_REASON_SYNTAX")],
    )  # fmt: skip
    answer = pb.ExplainResponse(
        response=response,
        arm="exact_psm_word",
        parts=[
            pb.PromptPart(kind="special", text=b"<|fim_prefix|>", tokens=1),
            pb.PromptPart(kind="prefix", text=b"def add(a, b):\n    ", tokens=9),
        ],
    )
    told = Explained(path="a_b.py", line=2, column=5, language="python", answer=answer)
    return told.but(**changes)


def test_it_has_the_answer_why_it_ended_and_the_prompt():
    text = explanation(answered())
    assert text.startswith("# a\\_b.py, line 2, column 5\n")
    assert "```\nreturn a + b\n```" in text
    assert "It ends there because the statement or block was complete. 4 tokens" in text
    assert "`<|fim_prefix|>`" in text
    assert "```python\ndef add(a, b):\n    \n```" in text
    assert "| model | small |" in text


def test_code_with_fences_stays_inside_its_own():
    text = explanation(answered(b'"""\n````\n# not a heading\n'))
    assert '`````\n"""\n````\n# not a heading\n`````' in text


def test_a_language_that_is_no_word_names_no_fence():
    assert "```\ndef add" in explanation(answered(language="`x`\n"))


def test_why_there_is_nothing_is_said_in_words():
    text = explanation(Explained(path="a.py", silent="language", refused="ignored"))
    assert "disabled for this language" in text
    assert "**No suggestion**: an ignore file names this file" in text


def test_tokens_of_the_workspace_have_their_place():
    told = answered()
    assert told.answer is not None
    told.answer.sources.append(
        pb.TokenSource(text=b" |x", model_prob=0.25, workspace_prob=1.0, path="u.py", line=7,
                       matched_tokens=3, **{"lambda": 0.5})
    )  # fmt: skip
    assert "| `·\\|x` | 0.250 | 1.000 | 0.50 | 3 | u.py:7 |" in explanation(told)


HOSTILE = "a\r# head\n\n<img src=x>\x1b[2J\u202e![i](http://evil/x)[l](command:x) `c` | ~~s~~ &lt;"


def test_names_of_others_are_text_wherever_they_stand():
    told = answered(path=HOSTILE, language=HOSTILE, scope="code", silent=HOSTILE)
    assert told.answer is not None
    told.answer.sources.append(
        pb.TokenSource(text=HOSTILE.encode(), path=HOSTILE, line=7, **{"lambda": 0.5})
    )
    told.answer.response.model = told.answer.arm = HOSTILE
    told.answer.parts.append(pb.PromptPart(kind=HOSTILE, text=b"x", tokens=1))
    text = explanation(told)
    assert not set(text) & set("\x1b\r\u202e")
    heads = [line for line in text.split("\n") if line.startswith("#")]
    assert heads[1:] == ["## Suggested", "## Where each token comes from",
                         "## What was sent of other files", "## The prompt, as sent", "## Cost"]  # fmt: skip
    outside = re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\.", "", text))  # no code
    for mark in ("<img", "![", "](", "~~", "&lt", "`"):
        assert mark not in outside


def test_code_of_others_ends_no_line_of_its_own_accord_and_shows_its_controls():
    text = explanation(answered(b"x\r```\x1b[2J\r\n# no heading\n"))
    assert "````\nx\\x0d```\\x1b[2J\n# no heading\n````" in text
