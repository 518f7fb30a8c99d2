"""Cursors that break careless code, for every baseline: built here, not measured on."""

from __future__ import annotations

import asyncio

from hypothesis import strategies as st

from eval.engines.base import Engine
from eval.item import Answer, Ask, Item, Related


def item(prefix: str | bytes, suffix: str | bytes = b"", *related: str, **known) -> Item:
    """Return an item around one cursor."""
    texts = [part.encode() if isinstance(part, str) else part for part in (prefix, suffix)]
    snippets = tuple(
        Related(path=f"r{n}.py", text=text.encode(), kind="import")
        for n, text in enumerate(related)
    )
    return Item(
        id="x", prefix=texts[0], suffix=texts[1], reference=b"", related=snippets,
        path=known.pop("path", "a.py"), **known,
    )  # fmt: skip


LINES = "".join(f"    value_{n} = compute(items[{n % 97}], {n})\n" for n in range(25_000))
assert len(LINES) > 1_000_000

HOSTILE = {
    "nothing": item("", ""),
    "nothing before": item("", "import os\nimport sys\n"),
    "no line end": item("x = compute(a) + compute(", ")"),
    "a megabyte": item("def f(items):\n" + LINES + "    value_9 = comp", "\n" + LINES),
    "one line of a megabyte": item("x = [" + "1, " * 350_000, "]\n"),
    "windows line ends": item("a = 1\r\nb = 2\r\na = ", "\r\nc = 3\r\n", eol="\r\n"),
    "between the two of a line end": item("a = 1\r\nb = 2\r", "\nc = 3\r\n", eol="\r\n"),
    "in a character": item("name = 'é'\nname = 'é".encode()[:-1], "é'\n".encode()[1:]),
    "no UTF-8": item(b"\xff\xfe\x00x = \x80\n\xffx", b"\xfe\n\xa0 = \x85\n"),
    "blank": item(" \t\n \n\t\n  ", "  \n\n"),
    "the same over and over": item("x = 1\n" * 2000 + "x = ", "\n" + "x = 1\n" * 2000),
    "deep brackets": item("(" * 2_000, ")" * 2_000),
    "deep indentation": item("".join(" " * n + "if x:\n" for n in range(600)) + " " * 600),
    "old line ends": item("a = 1\rb = 2\ra = ", "\rc = 3\r"),
    "blank related": item("x = ", "", "", "\n\n", "x = 5"),
}

ASKS = [
    Ask(lines=lines, candidates=candidates, max_tokens=tokens)
    for lines in ("single", "multi", "auto")
    for candidates, tokens in ((1, 128), (10, 4), (1, 1))
]

source = st.one_of(
    st.binary(max_size=80),
    st.lists(
        st.sampled_from(
            [b"def f(x):\n", b"    ", b"\t", b"x", b"self.", b"return ", b"(", b")", b"\n", b"\r\n",
             b"'", b'"""', b"#", b"foo", b" = ", b"1", "é".encode(), b"\xff", b" ", b":"]
        ),
        max_size=60,
    ).map(b"".join),
)  # fmt: skip

items = st.builds(
    lambda prefix, suffix, related, eol: Item(
        id="x", prefix=prefix, suffix=suffix, reference=b"", eol=eol, path="a.py",
        related=tuple(Related(path="r.py", text=text, kind="import") for text in related),
    ),
    source, source, st.lists(source, max_size=2), st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip


def answer(engine: Engine, asked: Item, ask: Ask | None = None) -> Answer:
    """Return the answer of an engine that needs no event loop of its own."""
    return asyncio.run(engine.answer(asked, ask or Ask(lines="single")))


def check(found: Answer, asked: Item, ask: Ask) -> None:
    """Assert what is true of every baseline's answer."""
    assert found.raw is not None
    assert (found.cut or b"") == found.raw
    assert found.replace_after == 0
    assert found.raw_end == "model"
    assert len(found.ranked) <= max(1, ask.candidates)
    assert len(set(found.ranked)) == len(found.ranked)
    if ask.lines == "single":
        assert b"\n" not in found.raw[:-1]
    else:
        assert found.raw.count(b"\n") < 40
