from __future__ import annotations

import random
from pathlib import Path

import pytest

from completion.syntax.definitions import (
    LIMIT,
    Definition,
    Piece,
    arranged,
    definitions,
    shown_bytes,
)
from completion.syntax.languages import LANGUAGES, Language
from completion.syntax.rules import PLAIN

PYTHON = LANGUAGES[0]
SOURCE = b'''"""A module."""
import os

LIMIT = 4

@dataclass(frozen=True)
class Store(Base):
    """Keeps things.

    At length.
    """

    # how many
    size: int = 3
    table: dict[str, int] = field(
        default_factory=dict,
        repr=False,
        compare=False,
    )

    def __init__(self, a, *, b=2) -> None:
        self.a = a
        self.b: int = b
        local = 1

    @property
    def first(self) -> int:
        """Say the first."""
        return self.a[0]

if os.name == "posix":
    async def walk(
        top: int,  # where
        deep: bool,
    ) -> str:  # noqa
        def inner():
            pass
        return inner()
'''


def shown(source: bytes, name: bytes, language: Language = PYTHON) -> str:
    found = {d.name: d for d in definitions(language, source)}
    return shown_bytes(source, found[name].pieces).decode()


def test_class_shows_its_header_its_description_its_fields_and_how_it_is_made() -> None:
    assert shown(SOURCE, b"Store") == (
        "@dataclass(frozen=True)\nclass Store(Base):\n"
        '    """Keeps things."""\n    size: int = 3\n    def __init__(self, a, *, b=2) -> None:\n'
    )


def test_member_stands_under_the_header_of_its_class() -> None:
    header = "@dataclass(frozen=True)\nclass Store(Base):\n"
    assert shown(SOURCE, b"first") == header + (
        '    @property\n    def first(self) -> int:\n        """Say the first."""\n'
    )
    assert shown(SOURCE, b"b") == header + "        self.b: int = b\n"


def test_signature_over_several_lines_is_whole_and_ends_before_a_comment() -> None:
    assert shown(SOURCE, b"walk") == (
        "    async def walk(\n        top: int,  # where\n        deep: bool,\n    ) -> str:\n"
    )


def test_what_is_inside_functions_is_not_defined_for_others() -> None:
    names = [d.name for d in definitions(PYTHON, SOURCE)]
    assert names == [
        b"LIMIT", b"Store", b"size", b"table", b"__init__", b"a", b"b", b"first", b"walk",
    ]  # fmt: skip
    for definition in definitions(PYTHON, SOURCE):
        at = definition.at
        assert SOURCE[at : at + len(definition.name)] == definition.name


def test_definitions_of_one_file_share_their_headers_in_the_order_of_the_file() -> None:
    found = {d.name: d for d in definitions(PYTHON, SOURCE)}
    names = (b"first", b"LIMIT", b"b", b"LIMIT")
    pieces = [piece for name in names for piece in found[name].pieces]
    text = shown_bytes(SOURCE, pieces).decode()
    assert text.startswith("LIMIT = 4\n@dataclass")
    assert text.count("class Store") == text.count("LIMIT") == 1
    assert text.index("self.b") < text.index("def first")


def test_a_piece_inside_another_one_is_shown_once() -> None:
    assert arranged([Piece(4, 9), Piece(0, 12), Piece(12, 14), Piece(0, 12)]) == [
        Piece(0, 12), Piece(12, 14),
    ]  # fmt: skip


def test_a_cut_description_is_closed_by_its_own_quotes() -> None:
    source = b"def f():\n    r'''One\n    two.\n\n    Three.'''\n    return 1\n"
    assert shown(source, b"f") == "def f():\n    r'''One\n    two.'''\n"


def test_a_description_beyond_the_limit_is_closed_too() -> None:
    source = b'def f():\n    """One\n' + b"    more and more\n" * 60 + b'    """\n    return 1\n'
    text = shown(source, b"f")
    assert text.endswith('more and more"""\n')
    assert len(text) < LIMIT + 40


def test_only_a_comment_right_above_belongs_to_a_definition() -> None:
    assert shown(b"x = 1\n# how\n# far\nLIMIT = 3\n", b"LIMIT") == "# how\n# far\nLIMIT = 3\n"
    assert shown(b"x = 1  # one\nLIMIT = 3\n", b"LIMIT") == "LIMIT = 3\n"


def test_limit_cuts_at_line_ends_and_never_to_nothing_nor_inside_a_character() -> None:
    rows = b"".join(b"    %d,\n" % n for n in range(400))
    table = shown(b"TABLE = [\n" + rows + b"]\n", b"TABLE")
    assert 400 < len(table) <= LIMIT + 1
    assert table.endswith(",\n")
    wide = shown(b"TEXT = '" + "é".encode() * 600 + b"'\n", b"TEXT")
    assert 400 < len(wide.encode()) <= LIMIT + 1


def test_broken_text_shows_what_still_parses() -> None:
    source = b"class Good:\n    def run(self, x): pass\n\ndef bad(a, b:\n    return (a\n\nX = 3\n"
    names = {d.name for d in definitions(PYTHON, source)}
    assert {b"Good", b"run"} <= names
    assert shown(source, b"run") == "class Good:\n    def run(self, x):\n"


def test_any_cut_of_a_source_is_read_and_every_place_lies_in_it() -> None:
    rng = random.Random(1)
    paths = sorted(Path(pytest.__file__).parents[1].glob("_pytest/*.py"))[:12]
    for path in paths:
        source = path.read_bytes()
        for _ in range(4):
            cut = source[: rng.randrange(len(source))]
            for definition in definitions(PYTHON, cut):
                check(definition, cut)


def check(definition: Definition, source: bytes) -> None:
    assert 0 <= definition.start <= definition.at < definition.end <= len(source)
    text = shown_bytes(source, definition.pieces)
    assert text.strip()
    for piece in definition.pieces:
        assert 0 <= piece.start < piece.end <= len(source)
        assert piece.end - piece.start <= LIMIT
        assert b"\n" not in source[piece.start - 1 : piece.start].replace(b"\n", b"")
    text.decode()


OTHERS = {
    "javascript": (
        b"// adds\nexport function add(a, b) { return a + b; }\nconst twice = (x) => { return 2 * x };\n"
        b"class Box extends Base {\n  size = 3;\n  constructor(a) { super(); }\n  run(x) { return 1; }\n}\n",
        {
            b"add": "// adds\nexport function add(a, b)\n",
            b"twice": "const twice = (x) =>\n",
            b"Box": "class Box extends Base\n  size = 3\n  constructor(a)\n",
            b"run": "class Box extends Base\n  run(x)\n",
        },
    ),
    "go": (
        b"package x\n// Foo keeps.\ntype Foo struct {\n\tA int\n}\n\n"
        b"func (f *Foo) Run(a int) error { return nil }\n",
        {
            b"Foo": "// Foo keeps.\ntype Foo struct {\n\tA int\n}\n",
            b"Run": "func (f *Foo) Run(a int) error\n",
        },
    ),
    "rust": (
        b"/// A point.\npub struct P {\n    x: i32,\n}\n"
        b"impl P {\n    pub fn new(x: i32) -> Self { P { x } }\n}\n",
        {
            b"P": "/// A point.\npub struct P\n    x: i32\n",
            b"new": "impl P\n    pub fn new(x: i32) -> Self\n",
        },
    ),
    "java": (
        b"/** Doc. */\npublic class Foo {\n    private int x = 3;\n    public Foo(int a) { }\n"
        b"    @Override\n    public String run(int b) throws E { return null; }\n}\n",
        {
            b"Foo": "public class Foo\n    public Foo(int a)\n",
            b"run": "public class Foo\n    @Override\n    public String run(int b) throws E\n",
        },
    ),
    "c": (
        b"struct point {\n    int x;\n};\n"
        b"static int *add(int a, int b)\n{\n    return a;\n}\nint proto(int z);\n",
        {b"add": "static int *add(int a, int b)\n", b"proto": "int proto(int z);\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_grammars_name_their_parts_alike(name: str) -> None:
    """No language has a table of its own, so a grammar that is installed is served."""
    language = Language(
        name=name, ids=(name,), extensions=(), rules=PLAIN, grammar=f"tree_sitter_{name}"
    )
    source, wanted = OTHERS[name]
    assert {k: shown(source, k, language) for k in wanted} == wanted
