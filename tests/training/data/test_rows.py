from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer

from tests.training.tiny import TRAIN, source
from training.corpus.shards import Document
from training.data.examples import Example, ExampleMaker
from training.data.reading import Reader
from training.data.rows import BatchStream, Packer
from training.model import IGNORE
from training.objectives import horizon, next_type
from training.recipe import PLAIN, DataRecipe, ObjectivesRecipe
from training.tokenizer import sentinels_of

LENGTHS = (64, 128)
ALL = ObjectivesRecipe()


def stream(
    encoder: Tokenizer,
    *,
    workers: int = 0,
    rank: int = 0,
    size: int = 1,
    objectives: ObjectivesRecipe = ALL,
) -> BatchStream:
    recipe = DataRecipe(lengths=LENGTHS, shares=(0.6, 0.4))
    ids = sentinels_of(encoder)
    maker = ExampleMaker(TRAIN, encoder, ids, recipe, 1, Reader(objectives, encoder))
    return BatchStream(
        maker, LENGTHS, pad=ids.fim_pad, tokens=256, workers=workers, rank=rank, size=size
    )


def taken(source: BatchStream, count: int) -> list[torch.Tensor]:
    batches = [source.next() for _ in range(count)]
    return [t for b in batches for t in (b.ids, b.targets, *b.labels.values())]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_row_holds_whole_examples_and_padding_without_loss() -> None:
    packer = Packer(64, pad=9)
    packer.add(Example([1] * 29 + [0], True))
    packer.add(Example([2] * 24 + [0], False))
    ((row, targets),) = packer.ready
    assert row == [1] * 29 + [0] + [2] * 24 + [0] + [9] * 10
    assert targets == [1] * 29 + [0] + [2] * 24 + [IGNORE] + [IGNORE] * 10


def test_labels_travel_with_their_tokens() -> None:
    packer = Packer(64, 9, ("horizon", "next_type"))
    first = {"horizon": [-1.0, 0.5, 0.0] * 10, "next_type": [7, 8, 9] * 10}
    second = {"horizon": [0.25] * 25, "next_type": [5] * 25}
    packer.add(Example([1] * 29 + [0], True, first))
    packer.add(Example([2] * 24 + [0], False, second))
    ((ids, targets, heard, types),) = packer.ready
    assert len(ids) == len(targets) == len(heard) == len(types) == 65
    assert heard == first["horizon"] + second["horizon"] + [horizon.MASKED] * 10
    assert types == first["next_type"] + second["next_type"] + [next_type.MASKED] * 10


def test_ids_that_are_not_trained_are_no_targets() -> None:
    packer = Packer(64, pad=9)
    packer.add(Example([1] * 49 + [0], True, trained=[False] * 40 + [True, False] * 5))
    ((_, targets),) = packer.ready
    assert targets[:50] == [IGNORE] * 40 + [1, IGNORE] * 5
    assert packer.ready[0][0][:50] == [1] * 49 + [0]


def test_labels_are_shifted_as_the_targets_are(encoder: Tokenizer) -> None:
    source = stream(encoder)
    end = sentinels_of(encoder).end
    ends = 0
    for _ in range(20):
        batch = source.next()
        assert set(batch.labels) == {"horizon", "next_type"}
        assert all(t.shape == batch.targets.shape for t in batch.labels.values())
        last = batch.labels["horizon"] == 0.0
        assert torch.all(batch.targets[last] == end)
        ends += int(last.sum())
        typed = batch.labels["next_type"] != next_type.MASKED
        assert torch.all(batch.targets[typed] > 6)  # the sentinels' ids come first
    assert ends > 50


def test_rows_without_heads_are_saved_as_before_there_were_any(encoder: Tokenizer) -> None:
    source = stream(encoder, objectives=PLAIN)
    assert source.next().labels == {}
    state = source.state()["packers"]
    assert all(len(row) == 2 for p in state.values() for rows in p.values() for row in rows)


def test_best_fit_fills_the_fuller_row_first() -> None:
    packer = Packer(100, pad=9)
    for size, value in ((70, 1), (50, 2), (25, 3)):
        packer.add(Example([value] * size, True))
    ((row, _),) = packer.ready
    assert row[:95] == [1] * 70 + [3] * 25


def test_batches_have_the_asked_size_and_shifted_targets(encoder: Tokenizer) -> None:
    source = stream(encoder)
    for _ in range(20):
        batch = source.next()
        assert batch.ids.numel() == 256
        assert batch.ids.shape[1] in LENGTHS
        inner, counted = batch.ids[:, 1:], batch.targets[:, :-1]
        assert torch.equal(inner[counted != IGNORE], counted[counted != IGNORE])


def test_saved_state_goes_on_with_the_very_same_batches(encoder: Tokenizer) -> None:
    source = stream(encoder)
    taken(source, 7)
    state = source.state()
    rest = taken(source, 9)
    other = stream(encoder)
    other.load(state)
    assert same(taken(other, 9), rest)
    assert other.epoch == source.epoch


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_do_not_change_the_data(encoder: Tokenizer, workers: int) -> None:
    assert same(taken(stream(encoder, workers=workers), 6), taken(stream(encoder), 6))


def test_ranks_read_disjoint_documents_that_are_all_of_them(encoder: Tokenizer) -> None:
    orders = [stream(encoder, rank=r, size=3)._order() for r in range(3)]
    assert sorted(i for order in orders for i in order) == list(range(len(TRAIN)))


def test_epochs_are_counted(encoder: Tokenizer) -> None:
    source = stream(encoder)
    while source.epoch < 2.5:
        source.next()
    assert source.state()["epoch"] == 2


def test_repository_order_keeps_packages_together_and_resumes(encoder: Tokenizer) -> None:
    documents = [
        Document("one", "one/a.py", "import one.b\n" + source("a")),
        Document("two", "two/a.py", source("two")),
        Document("one", "one/b.py", source("b")),
        Document("two", "two/b.py", "from two.c import c_1\n" + source("tb")),
        Document("two", "two/c.py", source("c")),
    ]
    recipe = DataRecipe(lengths=LENGTHS, shares=(0.6, 0.4), order="repository")
    ids = sentinels_of(encoder)
    maker = ExampleMaker(documents, encoder, ids, recipe, 1, Reader(PLAIN, encoder))
    orders = [maker.order(epoch) for epoch in range(8)]
    assert {tuple(order) for order in orders} == {(2, 0, 1, 4, 3), (1, 4, 3, 2, 0)}

    def begin(rank: int = 0, size: int = 1) -> BatchStream:
        return BatchStream(maker, LENGTHS, pad=ids.fim_pad, tokens=256, rank=rank, size=size)

    first = begin()
    taken(first, 3)
    state = first.state()
    later = begin()
    later.load(state)
    assert same(taken(first, 12), taken(later, 12))
