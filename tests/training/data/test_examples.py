from __future__ import annotations

import hashlib
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from completion.syntax.token_types import TYPE_IDS
from tests.training.tiny import TRAIN
from training.corpus.mapped import MappedDocuments
from training.corpus.mapping import ensure_mapped
from training.corpus.shards import Document, ShardWriter, write_manifest
from training.data.examples import ExampleMaker
from training.data.reading import Reader
from training.objectives.next_type import MASKED
from training.recipe import PLAIN, DataRecipe, ObjectivesRecipe
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


def visits_of(encoder: Tokenizer, objectives: ObjectivesRecipe) -> list[Any]:
    recipe = DataRecipe(lengths=(64, 128), shares=(0.7, 0.3), neighbour_rate=0.3)
    ids = sentinels_of(encoder)
    made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, Reader(objectives, encoder))
    return [made.visit(e, i) for e in range(2) for i in made.order(e)]


def test_plain_examples_are_the_very_ones_of_before_there_were_objectives(
    encoder: Tokenizer,
) -> None:
    """The digest was taken of the examples that the code without objectives drew."""
    digest = hashlib.sha256()
    for length, examples in visits_of(encoder, PLAIN):
        assert all(x.labels == {} for x in examples)
        digest.update(json.dumps([length, [[x.ids, x.ends] for x in examples]]).encode())
    assert digest.hexdigest() == "5fca605de1c40d284f898fabd5e1a001a3e79acfee054bbfb5def4471f3d2a59"


def test_heads_change_no_example(encoder: Tokenizer) -> None:
    heads = replace(PLAIN, horizon=0.1, next_type=0.1)
    plain, labelled = visits_of(encoder, PLAIN), visits_of(encoder, heads)
    assert [(n, [x.ids for x in a]) for n, a in plain] == [
        (n, [x.ids for x in b]) for n, b in labelled
    ]
    examples = [x for _, some in labelled for x in some]
    assert all(len(t) == len(x.ids) for x in examples for t in x.labels.values())


def test_a_token_has_one_type_in_every_order(encoder: Tokenizer, ids: Sentinels) -> None:
    """Left to right, prefix first and suffix first: only the order of the types differs."""
    text = TRAIN[0].text
    types: dict[tuple[int, ...], tuple[int, ...]] = {}
    line_end = encoder.token_to_id("Ċ")
    line_ends = {TYPE_IDS[name] for name in ("EOL", "INDENT", "DEDENT")}
    for fim, spm in ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)):
        recipe = replace(RECIPE, fim_rate=fim, spm_rate=spm, lengths=(256,), shares=(1.0,))
        reader = Reader(replace(PLAIN, next_type=0.1), encoder)
        made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, reader)
        for epoch in range(8):
            for example in made.visit(epoch, 0)[1]:
                pairs = list(zip(example.ids, example.labels["next_type"], strict=True))
                assert all((kind == MASKED) == (token < 7) for token, kind in pairs)
                assert all((t == line_end) == (k in line_ends) for t, k in pairs)
                for i in range(len(pairs) - 8):
                    some = pairs[i : i + 8]
                    if all(token > 6 for token, _ in some):
                        key = tuple(token for token, _ in some)
                        if text.count(encoder.decode(list(key))) == 1:
                            said = tuple(kind for _, kind in some)
                            assert types.setdefault(key, said) == said
    assert len(types) > 300


def test_horizon_counts_down_over_the_middle_of_every_fim_example(
    encoder: Tokenizer, ids: Sentinels
) -> None:
    recipe = replace(RECIPE, fim_rate=1.0, lengths=(256,), shares=(1.0,))
    made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, Reader(ObjectivesRecipe(), encoder))
    prefix_first = 0
    for example in (x for e in range(6) for x in made.visit(e, 0)[1]):
        labels = example.labels["horizon"]
        if ids.fim_middle not in example.ids:
            assert set(labels) == {-1.0}
            continue
        said = [share for share in labels if share >= 0]
        assert said == [(len(said) - t) / len(said) for t in range(1, len(said) + 1)]
        assert labels[-len(said) :] == said
        if example.ids[1] != ids.fim_suffix:
            middle = len(example.ids) - 2 - example.ids.index(ids.fim_middle)
            assert len(said) == max(1, middle)
            prefix_first += middle > 1
    assert prefix_first > 10


def test_masked_identifiers_are_the_share_of_examples_and_the_others_stay(
    encoder: Tokenizer, ids: Sentinels
) -> None:
    """Left to right, with the text's types as ever; what is masked are names of the file."""
    objectives = replace(PLAIN, next_type=0.1, horizon=0.1, masked_identifiers=0.3)
    recipe = replace(RECIPE, neighbour_rate=0.3, lengths=(256,), shares=(1.0,))
    reader = Reader(objectives, encoder)
    made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, reader)
    examples = [x for e in range(8) for i in made.order(e) for x in made.visit(e, i)[1]]
    masked = [x for x in examples if x.trained]
    assert 0.15 < len(masked) / len(examples) < 0.3  # some do not fit, or have no name
    for example in masked:
        assert len(example.ids) == len(example.trained) <= 256
        start = example.ids.index(ids.fim_middle)
        assert ids.fim_prefix not in example.ids
        assert example.ends
        assert example.trained[-1]
        body = 0
        if example.ids[0] == ids.repo_name:  # other files are trained on as ever
            body = start - example.trained[:start][::-1].index(True)
            assert all(example.trained[:body])
        assert not any(example.trained[body : start + 1])
        said = encoder.decode(example.ids[start + 1 : -1])
        names = re.findall(r"<id_(\d)>(\w+)", said)
        assert [int(n) for n, _ in names] == list(range(len(names)))
        text = encoder.decode(example.ids[body:start])
        for number, name in names:
            assert f"<id_{number}>" in text
            assert not re.search(rf"\b{name}\b", text)
            text = text.replace(f"<id_{number}>", name)
        assert any(text in d.text for d in TRAIN)
        assert set(example.labels["horizon"]) == {-1.0}
        types = example.labels["next_type"]
        assert set(types[start:]) == {MASKED}
        assert any(t != MASKED for t in types[body:start])
    assert len([x for x in masked if x.ids[0] == ids.repo_name]) > 5


def test_mixture_decides_which_middles_are_drawn(encoder: Tokenizer, ids: Sentinels) -> None:
    recipe = replace(
        RECIPE, fim_rate=1.0, spm_rate=0.0, end_rate=0.0, empty_rate=0.0, lengths=(256,),
        shares=(1.0,), middles={"docstring": 1.0},
    )  # fmt: skip
    reader = Reader(PLAIN, encoder, recipe.middles)
    made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, reader)
    examples = [x.ids for e in range(6) for x in made.visit(e, 0)[1] if ids.fim_middle in x.ids]
    middles = [encoder.decode(x[x.index(ids.fim_middle) + 1 : -1]) for x in examples]
    assert sum(m.endswith('"""') for m in middles) > 0.6 * len(middles) > 10


def test_labels_are_masked_in_other_files(encoder: Tokenizer, ids: Sentinels) -> None:
    recipe = replace(RECIPE, neighbour_rate=1.0, lengths=(256,), shares=(1.0,))
    reader = Reader(ObjectivesRecipe(), encoder)
    made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, reader)
    seen = 0
    for example in made.visit(0, 0)[1]:
        if example.ids[0] == ids.repo_name:
            body = len(example.ids) - 1 - example.ids[::-1].index(ids.file_sep)
            assert set(example.labels["next_type"][: body + 1]) == {MASKED}
            assert set(example.labels["horizon"][: body + 1]) == {-1.0}
            assert any(t != MASKED for t in example.labels["next_type"][body + 1 :])
            seen += 1
    assert seen


def test_docstring_task_keeps_its_body_in_sight(encoder: Tokenizer, ids: Sentinels) -> None:
    """A window with nothing behind the cursor would take away what the middle is asked from."""
    objectives = replace(PLAIN, docstring_from_body=1.0)
    recipe = replace(
        RECIPE, fim_rate=1.0, spm_rate=0.0, end_rate=1.0, empty_rate=0.0, lengths=(256,),
        shares=(1.0,),
    )  # fmt: skip
    made = ExampleMaker(TRAIN, encoder, ids, recipe, 1, Reader(objectives, encoder))
    seen = 0
    for _, examples in (made.visit(e, 0) for e in range(6)):
        for example in examples:
            start = example.ids.index(ids.fim_middle)
            middle = encoder.decode(example.ids[start + 1 : -1])
            if middle.startswith('"""Add') and middle.endswith('"""'):
                suffix = example.ids[example.ids.index(ids.fim_suffix) + 1 : start]
                assert "return total" in encoder.decode(suffix)
                seen += 1
    assert seen > 5


def test_languages_that_the_lexer_does_not_know_have_no_types(encoder: Tokenizer) -> None:
    reader = Reader(ObjectivesRecipe(), encoder)
    foreign = replace(TRAIN[0], path="alpha/apple.unknown")
    ids = [*encoder.encode(foreign.text[:200]).ids, 0]
    labels = reader.read(foreign).label_text(ids, 0)
    assert labels == {"horizon": [-1.0] * len(ids), "next_type": [MASKED] * len(ids)}


def test_examples_of_a_mapped_corpus_are_those_of_its_texts(
    encoder: Tokenizer, tmp_path: Path
) -> None:
    """What is stored and what is found on the way are one."""
    with ShardWriter(tmp_path / "corpus", "train") as writer:
        for document in TRAIN:
            writer.add(document)
        entries = writer.finish()
    write_manifest(tmp_path / "corpus", {"parts": {"train": entries, "held_out": []}})
    ensure_mapped(tmp_path / "corpus", tmp_path, lambda share, text: None, processes=1)
    mapped = MappedDocuments(tmp_path, "train")
    objectives = replace(ObjectivesRecipe(), masked_identifiers=0.1, identifier=0.2)
    ids, reader = sentinels_of(encoder), Reader(objectives, encoder)
    one = ExampleMaker(TRAIN, encoder, ids, RECIPE, 1, reader)
    other = ExampleMaker(mapped, encoder, ids, RECIPE, 1, reader)
    for epoch in range(3):
        for index in range(len(TRAIN)):
            assert one.visit(epoch, index) == other.visit(epoch, index)


def test_other_languages_have_middles_and_tasks_of_their_syntax(encoder: Tokenizer) -> None:
    functions = (
        f"// add{i} adds.\nfunc add{i}(a, b int) int {{\n\ttotal := sum(a, {i})\n\treturn total\n}}\n"
        for i in range(20)
    )
    go = Document("a", "a/a.go", "package a\n\n" + "\n".join(functions))
    rng = random.Random(1)
    for objectives, wanted in (
        (replace(PLAIN, statement=1.0), {"return total"}),
        (replace(PLAIN, docstring_from_body=1.0), {"// add3 adds."}),
        (replace(PLAIN, body_from_docstring=1.0), {"total := sum(a, 3)\n\treturn total"}),
        (replace(PLAIN, identifier=1.0), {"total", "sum", "int"}),
    ):
        reading = Reader(objectives, encoder).read(go)
        window = (0, len(go.text))
        drawn = {go.text[slice(*reading.draw_middle(window, rng)[0])] for _ in range(400)}
        assert wanted <= drawn
    whole = Reader(PLAIN, encoder, {"arguments": 1.0}).read(go)
    drawn = {go.text[slice(*whole.draw_middle((0, len(go.text)), rng)[0])] for _ in range(400)}
    assert {"a, 1", "a, 19"} <= drawn
