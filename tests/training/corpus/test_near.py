from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import source
from training.corpus.marks import PERMUTATIONS, RECORD_BYTES, Marks
from training.corpus.near import GRAM, NearDuplicates, signature


def shingles(text: str) -> set[tuple[str, ...]]:
    tokens = re.findall(r"\w+|[^\w\s]", text)
    return {tuple(tokens[i : i + GRAM]) for i in range(max(1, len(tokens) - GRAM + 1))}


def jaccard(a: str, b: str) -> float:
    first, second = shingles(a), shingles(b)
    return len(first & second) / len(first | second)


def changed(text: str, share: float, seed: int) -> str:
    """``text`` with a share of its lines replaced by others."""
    rng = random.Random(seed)
    lines = text.splitlines()
    for i in rng.sample(range(len(lines)), int(share * len(lines))):
        lines[i] = f"    {rng.random()} = other_{rng.getrandbits(30)}[{rng.random()}]"
    return "\n".join(lines)


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(tmp_path / "marks.bin", 0)


def known(marks: Marks, first: str, second: str) -> bool:
    near = NearDuplicates(marks)
    values = signature(first)
    near.add(marks.append(bytes(16), values), values)
    return near.known(signature(second))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 1.0])
def test_signatures_estimate_the_jaccard_of_token_5_grams(share: float) -> None:
    first = source("apple", 30)
    second = changed(first, share, 3)
    estimate = np.mean(signature(first) == signature(second))
    # Four standard deviations of 256 draws.
    assert abs(estimate - jaccard(first, second)) < 4 * 0.5 / PERMUTATIONS**0.5


def test_blanks_and_line_ends_do_not_matter() -> None:
    text = source("apple")
    assert (signature(text) == signature(text.replace("    ", "\t").replace("\n", "\r\n"))).all()


@pytest.mark.parametrize("text", ["", "x", "a b", "\n\n", "(" * 300, "é ü 漢字 ß œ"])
def test_any_text_has_a_signature(text: str) -> None:
    assert signature(text).shape == (PERMUTATIONS,)
    assert signature(text).dtype == np.uint32


def test_changed_copy_is_known_and_another_text_is_not(marks: Marks) -> None:
    text = source("apple", 30)
    copy = changed(text, 0.02, 1)
    assert jaccard(text, copy) > 0.85
    assert known(marks, text, copy)
    assert not known(marks, text, source("bear", 30))


def test_pair_below_the_threshold_is_let_through_though_the_index_finds_it(marks: Marks) -> None:
    text = source("apple", 30)
    for seed in range(20):
        other = changed(text, 0.15, seed)
        if jaccard(text, other) < 0.55:
            assert not known(marks, text, other)


def test_most_pairs_above_the_threshold_are_found(marks: Marks) -> None:
    pairs = [(text := source(f"name{i}", 30), changed(text, 0.04, i)) for i in range(30)]
    near = [pair for pair in pairs if jaccard(*pair) > 0.75]
    assert len(near) > 10
    assert sum(known(marks, *pair) for pair in near) >= 0.9 * len(near)


def test_marks_are_read_back_and_what_was_not_confirmed_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "marks.bin"
    marks = Marks(path, 0)
    texts = [source(name) for name in ("apple", "bear", "cat")]
    for number, text in enumerate(texts):
        assert marks.append(bytes([number]) * 16, signature(text)) == number
    marks.close()
    again = Marks(path, 2)
    assert path.stat().st_size == 2 * RECORD_BYTES
    assert [mark for mark, _ in again] == [bytes(16), b"\1" * 16]
    assert (again.signature(1) == signature(texts[1])).all()
    assert again.append(b"\7" * 16, signature(texts[2])) == 2
    assert (again.signature(2) == signature(texts[2])).all()


def test_document_is_found_among_others_that_share_its_bands(marks: Marks) -> None:
    near = NearDuplicates(marks)
    first = signature(source("apple", 30))
    # Less than 0.7 of the signature is common, and the first bands are.
    others = [np.where(np.arange(PERMUTATIONS) < 160, first, first ^ np.uint32(i)) for i in (1, 2)]
    for values in (*others, first):
        assert not near.known(values)
        near.add(marks.append(bytes(16), values), values)
    for values in (*others, first):
        assert near.known(values)
