from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.errors import UsageError
from completion.prompt.budget import Shares
from completion.prompt.views import DocumentView, Dropped, SnippetView
from tests.completion.families import BY_NAME
from tests.completion.prompt.test_budget import source
from tests.completion.prompt.test_encoder import BYTES, encoder
from tests.completion.prompt.test_families import DOCUMENT, builder

ARMS = [
    (name, arm)
    for name in BY_NAME
    for arm in builder(name, "").template.layouts
]  # fmt: skip
LONG = DocumentView(path="a/b.py", prefix=source(150, 1), suffix=source(150, 2))
SNIPPETS = [
    SnippetView(path=f"s{i}.py", text=source(4, 20 + i), relevance=0.3 + i / 10) for i in range(5)
]


def sentinels(name: str, arm: str) -> list[int]:
    made = builder(name, arm)
    names = [item for item in made.template.layouts[arm] if isinstance(item, str)]
    return [made.vocabulary.special[n] for n in names]


@pytest.mark.parametrize(("name", "arm"), ARMS)
@pytest.mark.parametrize("context", [160, 300, 700])
def test_the_budget_cuts_text_and_never_a_sentinel(name, arm, context):
    """Tabby's defect: the templated prompt clipped from the left loses its first sentinel."""
    made = builder(name, arm, context_tokens=context)
    prompt = made.build(LONG, SNIPPETS, "demo", max_tokens=50)
    assert len(prompt.token_ids) + 50 <= context
    special = [i for i in prompt.token_ids if made.vocabulary.is_special(i)]
    wanted = sentinels(name, arm)
    assert [i for i in special if i in wanted] == wanted
    assert len(prompt.token_ids) > (context - 50) * 0.5


@pytest.mark.parametrize(("name", "arm"), ARMS)
@settings(max_examples=15, deadline=None)
@given(prefix=BYTES, suffix=BYTES, snippet=BYTES, path=st.text(max_size=12))
def test_no_text_from_anywhere_becomes_a_sentinel(name, arm, prefix, suffix, snippet, path):
    path = path.encode("utf-8", "replace").decode()
    made = builder(name, arm, context_tokens=400)
    document = DocumentView(path=path, prefix=prefix, suffix=suffix, language_id=path)
    prompt = made.build(document, [SnippetView(path=path, text=snippet)], path, 20)
    assert len(prompt.token_ids) + 20 <= 400
    allowed = sum(1 for piece in prompt.pieces if piece.kind == "special")
    assert sum(made.vocabulary.is_special(i) for i in prompt.token_ids) == allowed


@pytest.mark.parametrize(("name", "arm"), ARMS)
def test_stable_tokens_are_those_that_typing_leaves_unchanged(name, arm):
    made = builder(name, arm, context_tokens=500)
    typed = source(12, 77)
    later = None
    cut = LONG.prefix
    for count in range(0, 240):
        document = replace(LONG, prefix=cut + typed[:count])
        prompt = made.build(document, SNIPPETS[:2], "demo", 40)
        if later is not None:
            assert prompt.token_ids[: later.stable_tokens] == later.token_ids[: later.stable_tokens]
        later = prompt


def test_suffix_first_typing_only_appends():
    """Decision 2 of the design: in SPM a keystroke keeps everything but the last line's tokens."""
    made = builder("caret", "spm")
    document = replace(DOCUMENT, prefix=source(10, 3) + b"    retur", suffix=source(10, 4))
    prompt = made.build(document, SNIPPETS[:1], "demo")
    assert len(prompt.token_ids) - prompt.stable_tokens < 16
    psm = builder("caret", "psm").build(document, SNIPPETS[:1], "demo")
    assert len(psm.token_ids) - psm.stable_tokens > 100
    assert prompt.joined is False  # only caret.json says so; see test_checkpoint


def test_equal_requests_make_equal_prompts():
    first = builder("qwen", "psm").build(LONG, SNIPPETS, "demo")
    assert builder("qwen", "psm").build(LONG, SNIPPETS, "demo") == first


def test_snippets_keep_their_order_and_the_least_relevant_goes():
    made = builder("qwen", "psm", context_tokens=700)
    prompt = made.build(LONG, SNIPPETS, "demo")
    kept = [snippet.path for snippet in prompt.used]
    assert kept == sorted(kept)
    assert 0 < len(kept) < len(SNIPPETS)
    assert prompt.dropped
    assert all(d.reason == "budget" for d in prompt.dropped)
    assert {d.path for d in prompt.dropped} | set(kept) == {s.path for s in SNIPPETS}
    assert "s4.py" in kept


def test_other_files_take_no_more_than_their_share():
    made = builder("qwen", "psm", context_tokens=1000, shares=Shares(snippets=0.1))
    prompt = made.build(LONG, SNIPPETS, "demo")
    taken = sum(piece.tokens for piece in prompt.pieces if piece.kind in ("snippet", "header"))
    assert taken <= 100


def test_a_snippet_that_the_window_shows_is_a_duplicate_but_not_one_it_has_cut_off():
    made = builder("qwen", "psm", context_tokens=600)
    near = SnippetView(path="near.py", text=LONG.prefix.splitlines()[-3])
    far = SnippetView(path="far.py", text=LONG.prefix.splitlines()[1])
    prompt = made.build(LONG, [near, far])
    assert prompt.dropped == (Dropped("near.py", "duplicate"),)
    assert prompt.used == (far,)


def test_a_model_of_another_snippet_format_gets_none():
    made = builder("qwen", "psm", snippets=False)
    prompt = made.build(DOCUMENT, SNIPPETS[:1], "demo")
    assert prompt.dropped == (Dropped("s0.py", "format"),)
    assert prompt.token_ids == made.build(DOCUMENT, repo_name="demo").token_ids


def test_the_model_sees_unix_line_ends():
    made = builder("qwen", "psm")
    dos = replace(DOCUMENT, prefix=b"a\r\n\r\nb\r", suffix=b"\nc\r\n")
    unix = replace(DOCUMENT, prefix=b"a\n\nb", suffix=b"\nc\n")
    snippet = SnippetView(path="s.py", text=b"x\r\ny\r\n")
    assert b"\r" not in made.build(dos, [snippet]).text()
    assert made.build(dos).token_ids == made.build(unix).token_ids


def test_comments_are_the_language_s_own():
    document = replace(DOCUMENT, comment=b"//", path="main.js")
    text = builder("santacoder", "psm").build(document, SNIPPETS[:1]).text()
    assert text.startswith(b"<fim-prefix>// Path: s0.py\n// ")


def test_a_cursor_inside_a_character_is_sent_as_it_is():
    made = builder("qwen", "psm")
    prompt = made.build(replace(DOCUMENT, prefix="x = '🙂".encode()[:-2]))
    assert prompt.prefix_text.endswith(b"\xf0\x9f")


def test_an_answer_that_leaves_no_room_is_refused_with_the_limit():
    with pytest.raises(UsageError, match="max_tokens 2000 leaves no room"):
        builder("qwen", "psm").build(DOCUMENT, max_tokens=2000)


def test_an_arm_the_family_lacks_is_refused_with_those_it_has():
    with pytest.raises(UsageError, match="psm"):
        builder("deepseek", "spm")


def test_a_keystroke_encodes_little_of_a_large_document():
    made = builder("qwen", "psm", context_tokens=8192)
    document = DocumentView(path="m.py", prefix=source(1500), suffix=source(1500, 8))
    made.build(document, SNIPPETS, "demo")
    encoded: list[int] = []
    inner = encoder("qwen")._encode_text
    try:
        encoder("qwen")._encode_text = lambda text: encoded.append(len(text)) or inner(text)
        made.build(replace(document, prefix=document.prefix + b"r"), SNIPPETS, "demo")
    finally:
        encoder("qwen")._encode_text = inner
    assert sum(encoded) < 8000
