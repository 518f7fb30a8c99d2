"""Which names of a package's documents are defined where in it, and what shows the definitions.

Pure. Python is resolved by :mod:`training.corpus.resolve`; other languages that have a grammar by
name, where their package defines the name exactly once. Places are characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from completion.syntax.definitions import Definition, definitions
from completion.syntax.languages import Language, language_for
from training.corpus.languages import PYTHON
from training.corpus.link_files import TAILS
from training.corpus.resolve import Resolver, Use
from training.corpus.shards import Document
from training.objectives.places import Span

SHORTEST = 3
"""Characters of the shortest name that is looked up by name alone."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A definition that something refers to."""

    document: int
    """Its place in the package."""
    whole: Span
    pieces: tuple[tuple[int, int, int], ...]
    """What is shown: start, end and the number of what closes it."""


@dataclass(frozen=True, slots=True)
class PackageLinks:
    """All links of one package."""

    uses: list[list[tuple[int, int, int]]]
    """Of each document, in order: start, end and the number of the definition."""
    definitions: list[Linked]
    """In the order of their places."""


def link_package(documents: Sequence[Document]) -> PackageLinks:
    """Link what the documents of one package use to what they define."""
    sources = [document.text.encode("utf-8", "replace") for document in documents]
    languages = [language_for("", document.path) for document in documents]
    tables: dict[int, dict[int, tuple[Definition, Callable[[int], int]]]] = {}

    def table(number: int) -> dict[int, tuple[Definition, Callable[[int], int]]]:
        """Return a document's definitions by the character of their name."""
        if number not in tables:
            language, source = languages[number], sources[number]
            character = _characters(source)
            found = definitions(language, source) if language else []
            tables[number] = {character(d.at): (d, character) for d in found}
        return tables[number]

    uses = _python_uses(documents, languages)
    for language in {id(x): x for x in languages if x and x.name != PYTHON}.values():
        members = [i for i, other in enumerate(languages) if other is language]
        for number, found in _uses_by_name(members, sources, table, language).items():
            uses[number] = found
    wanted = {(u.document, u.at) for found in uses for u in found if u.at in table(u.document)}
    numbers = {key: number for number, key in enumerate(sorted(wanted))}
    return PackageLinks(
        uses=[
            [
                (u.start, u.end, numbers[key])
                for u in found
                if (key := (u.document, u.at)) in numbers
            ]
            for found in uses
        ],
        definitions=[_linked(n, *table(n)[at]) for n, at in numbers],
    )


def _python_uses(
    documents: Sequence[Document], languages: Sequence[Language | None]
) -> list[list[Use]]:
    if not any(language and language.name == PYTHON for language in languages):
        return [[] for _ in documents]
    resolver = Resolver(documents)
    # the place where a name is defined refers to itself and tells nothing
    return [
        [u for u in resolver.uses(n) if (u.document, u.at) != (n, u.start)]
        for n in range(len(documents))
    ]


def _uses_by_name(
    members: Sequence[int],
    sources: Sequence[bytes],
    table: Callable[[int], dict[int, tuple[Definition, Callable[[int], int]]]],
    language: Language,
) -> dict[int, list[Use]]:
    """Link identifiers to the only definition of their name in the package."""
    counts: Counter[bytes] = Counter()
    places: dict[bytes, tuple[int, int]] = {}
    for number in members:
        for at, (definition, _) in table(number).items():
            counts[definition.name] += 1
            places[definition.name] = number, at
    out: dict[int, list[Use]] = {}
    for number in members:
        character = _characters(sources[number])
        found: list[Use] = []
        for start, end in identifiers(language, sources[number]):
            name = sources[number][start:end]
            if len(name) >= SHORTEST and counts[name] == 1:
                a, b = character(start), character(end)
                if places[name] != (number, a):
                    found.append(Use(a, b, *places[name]))
        out[number] = found
    return out


def identifiers(language: Language, source: bytes) -> list[Span]:
    """Return the bytes of all identifiers, in order; text and comments have none."""
    out: list[Span] = []
    cursor = language.parser.parse(source).walk()
    while True:
        node = cursor.node
        if node is not None and not node.child_count and node.type.endswith("identifier"):
            out.append((node.start_byte, node.end_byte))
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while cursor.goto_parent():
            if cursor.goto_next_sibling():
                break
        else:
            return out


def _linked(document: int, definition: Definition, character: Callable[[int], int]) -> Linked:
    return Linked(
        document,
        (character(definition.start), character(definition.end)),
        tuple(
            (character(p.start), character(p.end), _tail(p.tail.decode("ascii", "replace")))
            for p in definition.pieces
        ),
    )


def _tail(closing: str) -> int:
    return TAILS.index(closing) if closing in TAILS else 0


def _characters(source: bytes) -> Callable[[int], int]:
    """Return the function from a byte of ``source`` to the character that begins there."""
    if source.isascii():
        return lambda byte: byte
    first = (np.frombuffer(source, np.uint8) & 0xC0) != 0x80
    before = np.concatenate(([0], np.cumsum(first)))
    return lambda byte: int(before[byte])
