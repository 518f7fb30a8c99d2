"""Examples with definitions in front, drawn from real packages: what they show and what they hide."""

from __future__ import annotations

import shutil
import site
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from completion.errors import UsageError
from completion.prompt.builder import PromptBuilder
from completion.prompt.encoder import TextEncoder
from completion.prompt.templates import recognise
from completion.prompt.views import DocumentView, SnippetView
from training.corpus.link_files import Links, Shown
from training.corpus.linking import make_links
from training.corpus.shards import Document, write_manifest, write_shards
from training.data.examples import Example, ExampleMaker
from training.data.reading import Reader
from training.objectives.context import COPY, SHARE, Definitions
from training.objectives.places import Span
from training.pack import pack
from training.recipe import BudgetRecipe, DataRecipe, ObjectivesRecipe, Recipe
from training.run.session import run_training
from training.tokenizer import Sentinels, load_text_encoder, sentinels_of

MODEL = Path(__file__).parents[3] / "completion" / "models" / "caret-xs"
RECIPE = DataRecipe(lengths=(512,), fim_rate=1.0, spm_rate=0.0, empty_rate=0.0, neighbour_rate=0.0)
PACKAGES = ("hypothesis", "pygls", "pathspec")


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    root = Path(site.getsitepackages()[0])
    return [
        Document(name, path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for name in PACKAGES
        for path in sorted((root / name).glob("*.py"))
        if 500 < path.stat().st_size < 60_000
    ]


@pytest.fixture(scope="module")
def links(documents: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Links:
    folder = tmp_path_factory.mktemp("linked")
    parts = {"train": write_shards(documents, folder, "train"), "held_out": []}
    write_manifest(folder, {"parts": parts})
    make_links(folder, 1, lambda done, total: None)
    return Links(folder)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_text_encoder(MODEL)


@pytest.fixture(scope="module")
def ids(tokenizer: Tokenizer) -> Sentinels:
    return sentinels_of(tokenizer)


class Drawn:
    """Examples of the first documents, and what was decided for each that has definitions."""

    def __init__(
        self,
        documents: list[Document],
        tokenizer: Tokenizer,
        links: Links | None,
        rate: float = 1.0,
    ) -> None:
        recipe = replace(RECIPE, definitions_rate=rate)
        reader = Reader(ObjectivesRecipe(), tokenizer)
        self.maker = ExampleMaker(
            documents, tokenizer, sentinels_of(tokenizer), recipe, 1, reader, links
        )
        self.documents = documents

    def examples(self, epochs: int = 1) -> Iterator[tuple[Document, Example]]:
        for epoch in range(epochs):
            for index in range(0, len(self.documents), 2):
                for example in self.maker.visit(epoch, index)[1]:
                    yield self.documents[index], example


def test_without_a_rate_links_change_no_example(
    documents: list[Document], tokenizer: Tokenizer, links: Links
) -> None:
    with_links = [e for _, e in Drawn(documents, tokenizer, links, 0.0).examples()]
    without = [e for _, e in Drawn(documents, tokenizer, None, 0.0).examples()]
    assert with_links == without


def test_a_rate_without_links_says_how_to_make_them(
    documents: list[Document], tokenizer: Tokenizer
) -> None:
    with pytest.raises(UsageError, match="caret corpus --links"):
        Drawn(documents, tokenizer, None)


def test_visit_depends_on_seed_epoch_and_document_alone(
    documents: list[Document], tokenizer: Tokenizer, links: Links
) -> None:
    one = Drawn(documents, tokenizer, links).maker
    other = Drawn(documents, tokenizer, links).maker
    first = [one.visit(1, i) for i in range(6)]
    assert [other.visit(1, i) for i in reversed(range(6))][::-1] == first
    assert [other.visit(2, i) for i in range(6)] != first


def test_examples_fit_their_rows_and_definitions_their_share(
    documents: list[Document], tokenizer: Tokenizer, links: Links, ids: Sentinels
) -> None:
    fronted = total = 0
    for _, example in Drawn(documents, tokenizer, links).examples():
        total += 1
        assert len(example.ids) <= 512
        assert example.ids[-1] == ids.end
        assert example.ids.count(ids.end) == 1
        assert all(len(track) == len(example.ids) for track in example.labels.values())
        if example.ids[0] == ids.repo_name:
            fronted += 1
            ahead = example.ids.index(ids.fim_prefix)
            assert ahead <= SHARE * 512
            assert set(example.labels["horizon"][:ahead]) == {-1.0}
    assert 0.2 < fronted / total < 0.8


def test_front_is_what_the_server_writes_for_the_same_snippets(
    documents: list[Document], tokenizer: Tokenizer, links: Links, ids: Sentinels
) -> None:
    """Token for token, up to where the model begins."""
    encoder = TextEncoder.from_json((MODEL / "tokenizer.json").read_text(encoding="utf-8"))
    detected = recognise(encoder.vocabulary.special)
    assert detected
    server = PromptBuilder(
        encoder=encoder, template=detected.template, vocabulary=encoder.vocabulary,
        context_tokens=8192, arm="psm",
    )  # fmt: skip
    compared = several = 0
    for document, example in Drawn(documents, tokenizer, links).examples():
        if example.ids[0] != ids.repo_name or not tokenizer.decode(example.ids).isascii():
            continue
        begin = example.ids.index(ids.fim_middle) + 1
        segments = split(example.ids[:begin], ids)
        repository, *files, header, prefix, suffix = (tokenizer.decode(s) for s in segments)
        assert header == document.path + "\n"
        snippets = [
            SnippetView(path=path, text=text.encode(), kind="definition")
            for path, _, text in (file.partition("\n") for file in files)
        ]
        view = DocumentView(path=document.path, prefix=prefix.encode(), suffix=suffix.encode())
        prompt = server.build(view, snippets, repository.strip())
        assert prompt.dropped == ()
        # parts are encoded apart, so a window cut inside a word has one more way to be spelled
        front = example.ids.index(ids.fim_prefix)
        assert prompt.token_ids[: front + 1] == example.ids[: front + 1]
        assert prompt.text().decode() == tokenizer.decode(
            example.ids[:begin], skip_special_tokens=False
        )
        compared += 1
        several += len(files) > 1
    assert compared > 50
    assert several > 5


def split(tokens: list[int], ids: Sentinels) -> list[list[int]]:
    """The texts between sentinels; each sentinel opens one, the last opens none."""
    out: list[list[int]] = []
    for token in tokens[:-1]:
        if token in (ids.repo_name, ids.file_sep, ids.fim_prefix, ids.fim_suffix):
            out.append([])
        else:
            out[-1].append(token)
    return out


def test_nothing_in_front_gives_the_middle_away(
    documents: list[Document], tokenizer: Tokenizer, links: Links, ids: Sentinels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    decided: list[tuple[int, Span, Span, list[Shown]]] = []
    ranked = Definitions.ranked

    def spy(self: Definitions, index: int, window: Span, middle: Span, *rest: object) -> object:
        found = ranked(self, index, window, middle, *rest)  # type: ignore[arg-type]
        decided.append((index, window, middle, list(found)))
        return found

    monkeypatch.setattr(Definitions, "ranked", spy)
    long = 0
    for _, example in Drawn(documents, tokenizer, links).examples(2):
        if example.ids[0] == ids.repo_name:
            start = example.ids.index(ids.fim_middle) + 1
            middle = tokenizer.decode(example.ids[start:-1]).strip()
            ahead = tokenizer.decode(example.ids[: example.ids.index(ids.fim_prefix)])
            if len(middle) >= COPY:
                long += 1
                assert middle not in ahead
    assert long > 20
    own = 0
    for index, window, middle, found in decided:
        for shown in found:
            if shown.document == index:
                own += 1
                hidden, in_sight = set(range(*middle)), set(range(*window))
                assert not hidden & set(range(*shown.whole))
                for piece in shown.pieces:
                    assert not hidden & set(range(piece.start, piece.end))
                last = shown.pieces[-1]
                assert not in_sight & set(range(last.start, last.end))
    assert own > 20


def test_a_run_reads_the_links_beside_its_corpus_and_a_pack_takes_them_along(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(corpus_folder, corpus)
    asked = replace(
        recipe, data=replace(recipe.data, definitions_rate=0.5), budget=BudgetRecipe(tokens=1_000)
    )
    with pytest.raises(UsageError, match="no links"):
        run_training(asked, corpus, tokenizer_folder, tmp_path / "out", "cpu")
    pack(asked, corpus, tokenizer_folder, tmp_path / "pack")
    assert Links(tmp_path / "pack" / "corpus").documents == Links(corpus_linked(corpus)).documents
    assert run_training(asked, corpus, tokenizer_folder, tmp_path / "out", "cpu")["finished"]


def corpus_linked(corpus: Path) -> Path:
    make_links(corpus, 1, lambda done, total: None)
    return corpus
