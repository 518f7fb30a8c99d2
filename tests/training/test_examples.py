from __future__ import annotations

from dataclasses import replace

import pytest
from tokenizers import Tokenizer

from tests.training.tiny import TRAIN
from training.examples import ExampleMaker
from training.recipe import DataRecipe
from training.tokenizer import Sentinels, sentinels_of

RECIPE = DataRecipe(lengths=(64, 256), shares=(0.5, 0.5), neighbour_rate=0.0)


@pytest.fixture
def ids(encoder: Tokenizer) -> Sentinels:
    return sentinels_of(encoder)


def maker(encoder: Tokenizer, recipe: DataRecipe = RECIPE, seed: int = 1) -> ExampleMaker:
    return ExampleMaker(TRAIN, encoder, sentinels_of(encoder), recipe, seed)


def all_examples(encoder: Tokenizer, recipe: DataRecipe, epochs: int = 6) -> list[list[int]]:
    made = maker(encoder, recipe)
    visits = [made.visit(e, i) for e in range(epochs) for i in made.order(e)]
    assert all(len(x.ids) <= length for length, examples in visits for x in examples)
    return [x.ids for _, examples in visits for x in examples]


def test_every_example_fits_its_row_and_ends_once(encoder: Tokenizer, ids: Sentinels) -> None:
    for example in all_examples(encoder, replace(RECIPE, neighbour_rate=0.5)):
        assert example[-1] == ids.end
        assert example.count(ids.end) == 1


def test_rates_are_those_of_the_recipe(encoder: Tokenizer, ids: Sentinels) -> None:
    examples = all_examples(encoder, replace(RECIPE, lengths=(64,), shares=(1.0,)))
    fim = [e for e in examples if ids.fim_middle in e]
    suffix_first = [e for e in fim if e[1] == ids.fim_suffix and e[0] == ids.fim_prefix]
    assert 0.6 < len(fim) / len(examples) < 0.8
    assert 0.4 < len(suffix_first) / len(fim) < 0.6


def test_fim_parts_put_together_are_a_stretch_of_the_file(
    encoder: Tokenizer, ids: Sentinels
) -> None:
    recipe = replace(RECIPE, fim_rate=1.0, end_rate=0.0, lengths=(256,), shares=(1.0,))
    known = [d.text for d in TRAIN]
    seen = 0
    for example in all_examples(encoder, recipe, 2):
        middle = example.index(ids.fim_middle) if ids.fim_middle in example else -1
        if middle < 0 or example[1] == ids.fim_suffix:
            continue
        suffix = example.index(ids.fim_suffix)
        order = example[1:suffix] + example[middle + 1 : -1] + example[suffix + 1 : middle]
        text = encoder.decode(order, skip_special_tokens=False)
        assert any(text in k for k in known)
        seen += 1
    assert seen > 10


def test_other_files_stand_in_front_only_from_the_same_package(
    encoder: Tokenizer, ids: Sentinels
) -> None:
    recipe = replace(RECIPE, neighbour_rate=1.0, lengths=(256,), shares=(1.0,))
    fronted = [e for e in all_examples(encoder, recipe) if e[0] == ids.repo_name]
    assert fronted
    for example in fronted:
        first = example.index(ids.file_sep)
        package = encoder.decode(example[1:first]).strip()
        files = [i for i, t in enumerate(example) if t == ids.file_sep]
        for at in files:
            assert encoder.decode(example[at + 1 : at + 60]).startswith(package + "/")


def test_visit_depends_on_seed_epoch_and_document_alone(encoder: Tokenizer) -> None:
    made = maker(encoder)
    made.visit(0, 3)
    assert made.visit(1, 2) == maker(encoder).visit(1, 2)
    assert made.visit(1, 2) != made.visit(2, 2)
    assert made.visit(1, 2) != maker(encoder, seed=2).visit(1, 2)


def test_end_is_not_trained_where_a_window_stops_inside_a_document(encoder: Tokenizer) -> None:
    made = maker(encoder, replace(RECIPE, fim_rate=0.0, lengths=(64,), shares=(1.0,)))
    _, examples = made.visit(0, 0)
    assert len(examples) > 2
    assert [x.ends for x in examples[:-1]] == [False] * (len(examples) - 1)


def test_left_to_right_windows_cover_the_document(encoder: Tokenizer) -> None:
    recipe = replace(RECIPE, fim_rate=0.0, lengths=(256,), shares=(1.0,), characters_per_token=1.0)
    _, examples = maker(encoder, recipe).visit(0, 0)
    assert "".join(encoder.decode(x.ids[:-1]) for x in examples) == TRAIN[0].text
