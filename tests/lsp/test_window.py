"""The window around the cursor: within its limit, and still while one types."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp.window import STEP, cut

texts = st.text(alphabet="ab\n é😋", max_size=3000).map(str.encode)


@given(texts, texts, st.integers(256, 2000))
def test_a_window_is_the_text_next_to_the_cursor_within_the_limit(prefix, suffix, limit):
    window = cut(prefix, suffix, limit)
    assert len(window.prefix) <= limit and len(window.suffix) <= limit
    assert prefix.endswith(window.prefix) and suffix.startswith(window.suffix)
    assert window.prefix_truncated == (len(window.prefix) < len(prefix))
    assert window.suffix_truncated == (len(window.suffix) < len(suffix))
    assert window.prefix_truncated or len(prefix) <= limit
    assert len(window.prefix) >= min(len(prefix), limit // 2)
    window.prefix.decode()
    window.suffix.decode()


@given(st.lists(st.text("aé", max_size=20).map(lambda line: f"{line}\n".encode()), max_size=200))
def test_edges_are_line_boundaries_where_lines_are_short(lines):
    text = b"".join(lines)
    window = cut(text, text, 256)
    assert text[: len(text) - len(window.prefix)][-1:] in (b"", b"\n")
    assert window.suffix[-1:] in (b"", b"\n")


def test_typing_leaves_both_edges_where_they_are_until_a_step_is_full():
    prefix = b"".join(b"line %d of the file\n" % number for number in range(4000))
    suffix = prefix
    starts, ends = set(), set()
    for typed in range(STEP):
        window = cut(prefix + b"x" * typed, suffix, 16 << 10)
        starts.add(len(prefix) + typed - len(window.prefix))
        ends.add(len(window.suffix))
        assert (prefix + b"x" * typed)[-len(window.prefix) - 1 : -len(window.prefix)] == b"\n"
    assert len(starts) <= 2
    assert len(ends) == 1


def test_deleting_after_the_cursor_leaves_the_end_where_it_is():
    suffix = b"".join(b"line %d of the file\n" % number for number in range(4000))
    ends = {
        len(suffix) - gone - len(cut(b"", suffix[gone:], 16 << 10).suffix) for gone in range(500)
    }
    assert len(ends) <= 2
