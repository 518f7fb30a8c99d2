"""Rows of prompts that are read in one step or several, some positions of which the cache had."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from completion.healing.rows import RowCollector, law_of, part_of

VOCABULARY = 5


def _logits(positions):
    """Logits that say which position they are of."""
    return torch.tensor([[float(p + v * (p % 3)) for v in range(VOCABULARY)] for p in positions])


def _read(collector, name, rows, prompt, cached, chunk):
    """Read a prompt in chunks behind what the cache has; return what the last step gives."""
    start, given_ = cached, {}
    while start < prompt:
        size = min(chunk, prompt - start)
        part = part_of(name, rows, prompt, start, size)
        if part is not None:
            logits = _logits(range(*part.computed)) if len(part) else None
            given_ = collector.take([part], logits)
        start += size
        assert start == prompt or not given_, "before the last step there is nothing to send"
    return given_.get(name)


@given(
    st.integers(1, 30), st.integers(1, 12), st.integers(0, 4), st.integers(0, 29), st.integers(1, 9)
)
def test_rows_are_those_of_the_wanted_positions(prompt, first, without, cached, chunk):
    cached = min(cached, prompt - 1)
    collector = RowCollector()
    found = _read(collector, "r", (first, without), prompt, cached, chunk)
    wanted = range(max(0, prompt - first), prompt - without)
    assert len(collector) == 0
    if first <= without or all(position < cached for position in wanted):
        assert found is None
        return
    assert found.shape == (len(wanted), VOCABULARY)
    for row, position in zip(found, wanted, strict=True):
        if position < cached:
            assert bool(row.isnan().all())
        else:
            assert torch.allclose(row, law_of(_logits([position]))[0])


def test_a_step_that_reads_several_prompts_gives_each_its_own():
    collector = RowCollector()
    parts = [
        part_of("a", (2, 0), 4, 0, 4),
        part_of("b", (1, 0), 9, 0, 3),
        part_of("c", (3, 1), 6, 2, 4),
    ]
    positions = [p for part in parts for p in range(*part.computed)]
    found = collector.take(parts, _logits(positions))
    assert set(found) == {"a", "c"}
    assert torch.allclose(found["a"], law_of(_logits([2, 3])))
    assert torch.allclose(found["c"], law_of(_logits([3, 4])))


def test_what_is_forgotten_half_read_does_not_come_back():
    collector = RowCollector()
    collector.take([part_of("a", (8, 0), 8, 0, 4)], _logits(range(4)))
    assert len(collector) == 1
    collector.forget("a")
    found = collector.take([part_of("a", (8, 0), 8, 4, 4)], _logits(range(4, 8)))
    assert bool(found["a"][:4].isnan().all())
    assert not bool(found["a"][4:].isnan().any())
