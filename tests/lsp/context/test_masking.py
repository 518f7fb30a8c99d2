"""The secrets of an open document while it is edited, and what is then sent of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from lsp.context import masking
from lsp.context.masking import Hidden, LineSecrets
from lsp.context.secrets import Secret, masked, secrets_in
from lsp.documents import Document
from lsp.positions import Encoding, wire_bytes

KEY = "AK" + "IA" + "Q3EGZ5T7WXN2K4LB"
PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQ0+/x\n" * 20 + "-----END PRIVATE KEY-----\n"


def opened(text: str) -> Document:
    return Document("file:///w/a.py", text, Encoding.UTF8, version=1, language_id="python")


async def searched(document: Document) -> LineSecrets:
    found = LineSecrets(document)
    document.followers.append(found)
    with ThreadPoolExecutor(1) as pool:
        await found.search_all(pool, secrets_in)
    return found


def edit(document: Document, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
    where = types.Range(types.Position(*start), types.Position(*end))
    document.apply_change(types.TextDocumentContentChangePartial(range=where, text=text))


def sent(document: Document, found: LineSecrets, line: int, column: int) -> tuple[bytes, Hidden]:
    hidden = found.hidden(secrets_in, line, column, 1 << 16)
    content = document.content
    before = hidden.prefix(wire_bytes(content.before(line, column)))
    return before + hidden.suffix(wire_bytes(content.after(line, column))), hidden


async def test_what_is_sent_is_the_whole_text_with_secrets_masked_wherever_the_cursor_is():
    document = opened(f"é = 1\nKEY = '{KEY}'\n{PEM}x = '{KEY}'; y = 2\nlast")
    found = await searched(document)
    whole = masked(document.source.encode())
    assert KEY.encode() not in whole and b"MIIEvQ" not in whole
    for line, text in enumerate(document.content.lines):
        for column in range(0, len(text), 3):
            assert sent(document, found, line, column)[0] == whole


async def test_a_cursor_in_a_secret_or_right_at_it_is_told():
    document = opened(f"KEY = '{KEY}'\n")
    found = await searched(document)
    for column in range(len(document.content.lines[0])):
        hidden = sent(document, found, 0, column)[1]
        assert hidden.touched == (7 <= column <= 7 + len(KEY)), column


async def test_nothing_is_known_before_the_first_search():
    document = opened(f"KEY = '{KEY}'\n")
    assert not LineSecrets(document).is_known


async def test_a_key_that_is_typed_is_hidden_once_it_is_whole():
    document = opened("a = 1\n\nb = 2\n")
    found = await searched(document)
    for n, char in enumerate(f"K = '{KEY}'"):
        edit(document, (1, n), (1, n), char)
        assert found.is_known
        sent(document, found, 0, 0)
    text, _ = sent(document, found, 2, 0)
    assert KEY.encode() not in text and text == masked(document.source.encode())


async def test_a_large_paste_is_not_known_until_it_was_searched():
    document = opened("a = 1\n")
    found = await searched(document)
    edit(document, (1, 0), (1, 0), f"x = '{KEY}'\n" * 40)
    assert not found.is_known
    with ThreadPoolExecutor(1) as pool:
        await found.search_all(pool, secrets_in)
    assert found.is_known
    assert KEY.encode() not in sent(document, found, 0, 0)[0]


async def test_while_a_paste_is_searched_it_is_not_known():
    document = opened("a = 1\n")
    found = await searched(document)
    edit(document, (0, 0), (0, 0), f"x = '{KEY}'\n" * 40)
    with ThreadPoolExecutor(1) as pool:
        search = asyncio.create_task(found.search_all(pool, secrets_in))
        await asyncio.sleep(0)
        assert found.running is not None and not found.is_known
        await search
    assert found.is_known


async def test_what_was_typed_before_the_whole_is_searched_again_stays_hidden():
    document = opened("a = 1\n")
    found = await searched(document)
    edit(document, (1, 0), (1, 0), f"x = '{KEY}'\n")
    with ThreadPoolExecutor(1) as pool:
        search = asyncio.create_task(found.search_all(pool, secrets_in))
        await asyncio.sleep(0)
        assert found.is_known
        assert KEY.encode() not in sent(document, found, 0, 0)[0]
        await search


async def test_a_line_changed_within_a_private_key_stays_hidden():
    document = opened("a = 1\n" + PEM + "b = 2\n")
    found = await searched(document)
    edit(document, (9, 3), (9, 3), "QUITE")
    text, _ = sent(document, found, 0, 0)
    assert b"QUITE" not in text and b"b = 2" in text


async def test_edits_while_the_text_is_searched_are_not_lost():
    document = opened(f"a = 1\nK = '{KEY}'\n")
    found = LineSecrets(document)
    document.followers.append(found)
    edited = threading.Event()

    def slowly(text: bytes) -> Sequence[Secret]:
        assert edited.wait(30)
        return secrets_in(text)

    with ThreadPoolExecutor(1) as pool:
        search = asyncio.create_task(found.search_all(pool, slowly))
        while found.running is None:
            await asyncio.sleep(0)
        edit(document, (0, 0), (0, 0), "new\nlines\n")
        edited.set()
        await search
    assert sent(document, found, 0, 0)[0] == masked(document.source.encode())


async def test_a_search_that_fails_leaves_the_text_unknown():
    document = opened("a = 1\n")
    found = LineSecrets(document)

    def broken(text: bytes) -> tuple:
        raise ValueError(text)

    with ThreadPoolExecutor(1) as pool:
        await found.search_all(pool, broken)
    assert not found.is_known


LINES = ["a = 1\n", f"K = '{KEY}'\n", "é\n", "\n", "password = 'hunter2!x9'\n", "end"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(LINES), max_size=8),
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(0, 2), st.sampled_from(LINES)),
        max_size=6,
    ),
)
def test_no_whole_key_is_sent_after_any_edits(lines, edits):
    document = opened("".join(lines))
    found = LineSecrets(document)
    document.followers.append(found)
    found._found = masking.search_lines(document.content.lines, secrets_in)
    found._known, found._from, found._to = True, 0, 0
    for line, column, more, text in edits:
        edit(document, (line, column), (line + more, column), text)
        if not found.is_known:
            return
        got, _ = sent(document, found, 0, 0)
        whole = masked(document.source.encode())
        assert len(got) == len(whole)
        for ours, theirs in zip(got, whole, strict=True):
            assert ours == theirs or ours == ord("*")  # never less than a search of all finds


@pytest.mark.parametrize("reach", [0, 5, 40])
async def test_only_what_is_within_reach_is_looked_for(reach):
    document = opened("x = 1\n" * 200 + f"K = '{KEY}'\n")
    found = await searched(document)
    hidden = found.hidden(secrets_in, 0, 0, reach)
    assert hidden.before == hidden.after == ()
