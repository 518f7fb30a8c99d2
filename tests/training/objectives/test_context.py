"""What stands in front of a middle, on a package that was linked by hand-checked code."""

from __future__ import annotations

import random
from collections.abc import Iterator

from completion.syntax.definitions import definitions, shown_bytes
from completion.syntax.languages import LANGUAGES
from training.corpus.link_files import TAILS, Piece, Shown
from training.corpus.links import link_package
from training.corpus.shards import Document
from training.objectives import context
from training.objectives.context import Definitions, shown_text
from training.objectives.places import Span

TOOLS = '''\
"""Tools, för alle."""

def clean(text: str, *, deep: bool = False) -> str:
    """Clean a text.

    Slowly.
    """
    return text.strip() if deep else text

def unused(count: int) -> int:
    return count

class Box:
    """Holds."""

    def __init__(self, size: int) -> None:
        self.size = size

    def put(self, item: object) -> None:
        print(item)
'''
USE = '''\
from demo.tools import Box, clean

def near(value):
    return value

def run(text):
    box = Box(3)
    done = clean(text, deep=True)
    box.put(near(done))
    return last(done)

def last(value):
    """Return it."""
    return value
'''
DOCUMENTS = [Document("demo", "demo/tools.py", TOOLS), Document("demo", "demo/use.py", USE)]


class Linked:
    """The links of one package, as a corpus's files would give them."""

    def __init__(self, documents: list[Document]) -> None:
        links = link_package(documents)
        self.shown = [
            Shown(d.document, d.whole, tuple(Piece(a, b, TAILS[t]) for a, b, t in d.pieces))
            for d in links.definitions
        ]
        self.uses = links.uses

    def within(self, document: int, span: Span) -> Iterator[tuple[Span, Shown]]:
        for start, end, number in self.uses[document]:
            if end > span[0] and start < span[1]:
                yield (start, end), self.shown[number]


def made(documents: list[Document] = DOCUMENTS) -> Definitions:
    return Definitions(documents, Linked(documents), {"demo": list(range(len(documents)))})


def place(text: str, of: str = USE) -> Span:
    at = of.index(text)
    return at, at + len(text)


WHOLE = (0, len(USE))


def front(middle: Span, window: Span = WHOLE, room: int = 4000) -> list[tuple[str, str]]:
    """What stands in front where chance adds nothing."""
    rng = random.Random(1)
    rng.random = lambda: 1.0  # type: ignore[method-assign]
    definitions = made()
    return definitions.files(definitions.ranked(1, window, middle, room, rng))


CLEAN = 'def clean(text: str, *, deep: bool = False) -> str:\n    """Clean a text.\n'.replace(
    ".\n", '."""\n'
)


def test_definition_of_what_the_middle_uses_stands_in_front() -> None:
    assert front(place("clean(text, deep=True)")) == [("demo/tools.py", CLEAN)]


def test_definitions_of_one_file_stand_together_under_its_path() -> None:
    found = front(place("box = Box(3)\n    done = clean(text"))
    assert found == [
        (
            "demo/tools.py",
            CLEAN + 'class Box:\n    """Holds."""\n    def __init__(self, size: int) -> None:\n',
        )
    ]


def test_function_whose_arguments_are_missing_is_told_by_its_line() -> None:
    assert front(place("text, deep=True")) == [("demo/tools.py", CLEAN)]


def test_name_of_which_a_part_is_typed_is_told() -> None:
    assert front(place("ean(text, deep")) == [("demo/tools.py", CLEAN)]


def test_what_the_window_shows_is_not_repeated_and_what_it_cuts_off_is_shown() -> None:
    middle = place("return last(done)")
    assert front(middle) == []
    cut = (0, USE.index("def last"))
    assert front(middle, cut) == [("demo/use.py", 'def last(value):\n    """Return it."""\n')]


def test_nothing_from_behind_the_cursor_where_nothing_is_behind_it() -> None:
    middle = place("return last(done)")
    assert front(middle, (0, middle[1])) == []


def test_definition_that_holds_the_middle_is_not_shown() -> None:
    middle = place("unused(count: int)", TOOLS)
    rng = random.Random(1)
    definitions = made()
    recursive = TOOLS.replace("return count", "return unused(count)")
    documents = [Document("demo", "demo/tools.py", recursive), DOCUMENTS[1]]
    middle = place("return unused(count)", recursive)
    window = middle[0] - 4, len(recursive)
    definitions = made(documents)
    for _ in range(50):
        for shown in definitions.ranked(0, window, middle, 4000, rng):
            assert shown.document != 0 or shown.whole[1] <= middle[0] or shown.whole[0] >= middle[1]


def drawn(
    documents: list[Document], index: int, window: Span, middle: Span, times: int = 60
) -> list[Shown]:
    rng = random.Random(1)
    definitions = made(documents)
    return [d for _ in range(times) for d in definitions.ranked(index, window, middle, 4000, rng)]


def test_header_that_is_missing_is_not_shown_above_a_member() -> None:
    text = (
        "class Big(object):\n    def b(self):\n        return self.a()\n\n"
        "    def a(self):\n        return 1\n"
    )
    documents = [Document("demo", "demo/big.py", text)]
    window = (0, text.index("    def a"))
    elsewhere = drawn(documents, 0, window, place("self.a()", text))
    assert shown_text(text, elsewhere[0].pieces) == "class Big(object):\n    def a(self):\n"
    assert drawn(documents, 0, window, place("Big(object)", text)) == []


def test_half_of_a_signature_in_sight_is_not_shown_whole() -> None:
    text = "def first(one, two):\n    return one\n\n\ndef second(x):\n    return first(x, x)\n"
    documents = [Document("demo", "demo/two.py", text)]
    middle = place("first(x, x)", text)
    assert drawn(documents, 0, (text.index("two)"), len(text)), middle) == []
    assert drawn(documents, 0, (text.index("    return"), len(text)), middle)


def test_what_another_file_says_in_the_same_words_is_not_repeated() -> None:
    text = "from demo.a import same as other\n\ndef same(x):\n    return 2\n\nother(1)\n"
    documents = [
        Document("demo", "demo/a.py", "def same(x):\n    return 1\n"),
        Document("demo", "demo/b.py", text),
    ]
    middle = place("other(1)", text)
    assert drawn(documents, 1, (0, len(text)), middle) == []
    assert drawn(documents, 1, (text.index("    return"), len(text)), middle)


def test_a_long_middle_is_not_said_by_a_copy_of_it() -> None:
    head = "def copied(first_argument, second_argument, third):"
    other = f"{head}\n    return 1\n"
    use = f"from demo.a import copied\n\nX = copied\n\n{head}\n    return 1\n"
    documents = [Document("demo", "demo/a.py", other), Document("demo", "demo/b.py", use)]
    rng = random.Random(1)
    middle = place(head[4:], use)
    assert len(head[4:]) > context.COPY
    window = (use.index("def copied"), len(use))
    definitions = made(documents)
    found = [d for _ in range(60) for d in definitions.ranked(1, window, middle, 4000, rng)]
    assert all(d.document != 0 for d in found)
    short = place("copied(first", use)
    found = [d for _ in range(60) for d in definitions.ranked(1, window, short, 4000, rng)]
    assert any(d.document == 0 for d in found)


def test_most_relevant_file_stands_last_and_the_room_is_kept() -> None:
    documents = [
        *DOCUMENTS,
        Document("demo", "demo/other.py", "def helper(value: int) -> int:\n    return value\n"),
        Document(
            "demo", "demo/main.py",
            "from demo.other import helper\nfrom demo.tools import clean\n\n"
            "X = helper(1)\nY = clean(str(helper(X)))\n",
        ),
    ]  # fmt: skip
    text = documents[3].text
    rng = random.Random(1)
    rng.random = lambda: 1.0  # type: ignore[method-assign]
    definitions = made(documents)
    window = (text.index("X ="), len(text))
    ranked = definitions.ranked(3, window, place("Y = clean(str(helper", text), 4000, rng)
    paths = [path for path, _ in definitions.files(ranked)]
    assert paths == ["demo/other.py", "demo/tools.py"]
    fewer = definitions.ranked(3, window, place("Y = clean(str(helper", text), 80, rng)
    assert [s.document for s in fewer] == [0]


def test_others_stand_among_them_and_sometimes_alone() -> None:
    rng = random.Random(1)
    definitions = made()
    used, unused = place("clean(text, deep=True)"), place("    return value\n\ndef run")
    mixed = alone = 0
    for _ in range(300):
        ranked = definitions.ranked(1, (0, len(USE)), used, 4000, rng)
        assert "def clean" in shown_text(TOOLS, ranked[0].pieces)
        mixed += len(ranked) > 1
        alone += bool(definitions.ranked(1, (0, len(USE)), unused, 4000, rng))
    assert 0.2 < mixed / 300 <= context.DISTRACTED + 0.1
    assert 0.03 < alone / 300 <= context.ALONE + 0.1


def test_characters_and_bytes_show_the_same_text() -> None:
    source = TOOLS.encode()
    shown = {
        s.whole: shown_text(TOOLS, s.pieces) for s in Linked(DOCUMENTS).shown if not s.document
    }
    said = {shown_bytes(source, d.pieces).decode() for d in definitions(LANGUAGES[0], source)}
    assert len(shown) >= 3
    assert set(shown.values()) <= said
