"""What of a document its prompt has no room for is told as well, once, and stays the same."""

import numpy as np
import pytest

from completion.engine.checkpoint import load_checkpoint
from completion.prompt.views import DocumentView
from completion.server.surroundings import MOST_BYTES, Surroundings
from completion.workspace.request import BARRIER, Mixing

LINES = b"".join(b"value_%d = compute(value_%d)\n" % (n, n - 1) for n in range(3000))


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


def built(checkpoint, prefix, suffix=b""):
    document = DocumentView(prefix=prefix, suffix=suffix)
    prompt = checkpoint.prompt_builder(context_tokens=512).build(document, max_tokens=32)
    return document, prompt


def spelled(checkpoint, ids):
    return checkpoint.vocabulary.bytes_of([i for i in ids if i != BARRIER])


@pytest.mark.parametrize("lines", [10, 300, 1500])
def test_window_and_rest_are_the_whole_document(checkpoint, lines):
    prefix = b"".join(LINES.splitlines(True)[:lines])[:-7]
    suffix = b"".join(LINES.splitlines(True)[lines : lines + 200])
    document, prompt = built(checkpoint, prefix, suffix)
    rest = Surroundings(checkpoint.encoder).of(document, prompt)
    size = len(prompt.token_ids)
    mixing = Mixing(
        "w", "v", "p", (prompt.prefix_start, prompt.prefix_start + prompt.prefix_tokens),
        (prompt.suffix_start, prompt.suffix_start + prompt.suffix_tokens), size, rest,
    )  # fmt: skip
    ids = mixing.document(prompt.token_ids, size)
    behind, before, window = np.split(ids, np.flatnonzero(ids == BARRIER))
    assert spelled(checkpoint, behind) == suffix
    assert spelled(checkpoint, [*before, *window]) == prefix
    assert Mixing.from_words(mixing.words()) == mixing
    more = mixing.document([*prompt.token_ids, 5, 6], size + 2)
    assert more.tolist() == [*ids.tolist(), 5, 6]


def test_a_key_changes_nothing_of_it(checkpoint):
    held = Surroundings(checkpoint.encoder)
    first = held.of(*built(checkpoint, LINES[:30_000]))
    assert first.before
    for n in range(1, 8):
        assert held.of(*built(checkpoint, LINES[: 30_000 + n])) == first
    assert len(held._kept) == 1


def test_of_a_long_document_the_nearest_part_is_taken(checkpoint):
    document, prompt = built(checkpoint, LINES, LINES)
    rest = Surroundings(checkpoint.encoder).of(document, prompt)
    before, behind = (spelled(checkpoint, np.frombuffer(part, np.int32)) for part in rest)
    assert MOST_BYTES - 4096 <= len(before) <= MOST_BYTES
    assert LINES[: len(LINES) - prompt.prefix_bytes].endswith(before)
    assert len(behind) == MOST_BYTES // 2
    assert LINES[len(prompt.suffix_text) :].startswith(behind)


def test_what_is_mixed_has_a_key_of_its_own():
    from completion.workspace.request import Rest

    one = Mixing("w", "v", "p", (0, 1), (0, 0), 1)
    others = [
        Mixing("w", "v", "q", (0, 1), (0, 0), 1), Mixing("w", "u", "p", (0, 1), (0, 0), 1),
        Mixing("w", "v", "p", (0, 1), (0, 0), 1, Rest(b"1234")),
        Mixing("w", "v", "p", (0, 1), (0, 0), 1, Rest(b"", b"1234")),
    ]  # fmt: skip
    assert len({one.key, *(other.key for other in others)}) == 5
    assert one.key == Mixing("w", "v", "p", (0, 1), (0, 0), 1).key
