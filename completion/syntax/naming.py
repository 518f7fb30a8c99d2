"""Which words of a statement give a name to something: what it defines, takes, binds or imports.

Told from the words and signs of one statement alone, in every language by the same few rules, so
that broken code has names too. Where a rule is not sure it says yes: who asks ranks names, and a
name too many does little harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from completion.syntax.languages import Language

NameKind = Literal["definition", "parameter", "variable", "import"]


class Token(NamedTuple):
    """One token of a statement."""

    text: bytes
    at: int
    word: bool


class Naming(NamedTuple):
    """A word that gives a name."""

    name: bytes
    at: int
    kind: NameKind
    inside: bool
    """It holds in the block that the statement opens, and not around it."""


_DEFINES = frozenset(
    b"def class function func fun fn struct enum interface trait type namespace module mod union "
    b"record protocol object typealias typedef extension actor macro_rules".split()
)
_DECLARES = frozenset(b"let const var val local static readonly declare export mut ref".split())
_TYPES_FIRST = frozenset(("c", "cpp", "java", "csharp"))
"""Languages that put a type before the name it is the type of."""
_ASSIGNS = frozenset(("python", "ruby", "lua", "shell", "php", "make", "toml"))
"""Languages in which a first assignment is the declaration."""
_CONTROL = frozenset(
    b"if elif elsif else while until switch match case when return throw raise catch with select "
    b"unless try do goto delete new yield await assert typeof sizeof not print echo in".split()
)
_SCRIPTS = frozenset(("javascript", "typescript", "tsx"))
_STOPS = frozenset((b"=", b":=", b"in", b"of", b"<-"))
_OPENS = {b"(": 1, b"[": 1, b"{": 1, b")": -1, b"]": -1, b"}": -1}


def namings(language: Language, tokens: list[Token], *, opens: bool) -> list[Naming]:
    """Return what the statement ``tokens`` names; ``opens``: a block follows it."""
    if not tokens:
        return []
    rules = language.rules
    first = tokens[0].text
    uses = first == b"pub" and len(tokens) > 1 and tokens[1].text == b"use"
    # elsewhere an import names a file, and nothing in it
    brings = language.name not in ("php", "ruby", "shell", "c", "cpp", "make") or first == b"use"
    if uses or (first in rules.import_words and brings):
        return [_naming(t, "import") for t in _imported(tokens, rules.keywords)]
    found = [*_defined(language, tokens, opens=opens), *_declared(language, tokens, opens=opens)]
    seen: dict[int, Naming] = {}
    for one in found:
        if one.name not in rules.keywords and not one.name[:1].isdigit():
            seen.setdefault(one.at, one)
    return list(seen.values())


def _naming(token: Token, kind: NameKind, *, inside: bool = False) -> Naming:
    return Naming(token.text, token.at, kind, inside)


def _imported(tokens: list[Token], keywords: frozenset[bytes]) -> Iterator[Token]:
    """Yield the names that an import brings in: the last part of a path, or what it is called."""
    brings = next((i for i, t in enumerate(tokens) if t.text == b"import"), 0)
    from_clause = next((i for i, t in enumerate(tokens) if t.text == b"from" and i), len(tokens))
    for i, token in enumerate(tokens[:from_clause]):
        behind_from = i <= brings and tokens[0].text == b"from"
        if not token.word or behind_from or token.text == b"as" or token.text in keywords:
            continue
        following = tokens[i + 1].text if i + 1 < len(tokens) else b""
        if following not in (b".", b"::", b"as", b"\\", b"/", b"->", b"="):
            yield token


def _defined(language: Language, tokens: list[Token], *, opens: bool) -> Iterator[Naming]:
    """Yield what the statement defines, and its parameters."""
    defining = False
    for i, token in enumerate(tokens):
        if token.text in _DEFINES and token.word:
            name = next((t for t in tokens[i + 1 :] if t.word or t.text == b"("), None)
            if language.name == "go" and token.text == b"func" and name and name.text == b"(":
                name = _behind_brackets(tokens, i + 1)  # a receiver stands before the name
            if name is not None and name.word:
                yield _naming(name, "definition")
            defining = True
            break
        if token.text in (b"=", b"("):
            break
    if language.name == "shell" and len(tokens) > 1 and tokens[0].word and tokens[1].text == b"(":
        yield _naming(tokens[0], "definition")
    arrow = any(t.text == b"=>" for t in tokens) and language.name in (*_SCRIPTS, "csharp", "scala")
    typed = not defining and language.name in (_TYPES_FIRST | _SCRIPTS)
    if typed and opens and tokens[0].text not in _CONTROL | {b"for"} and not arrow:
        bracket = next((i for i, t in enumerate(tokens) if t.text == b"("), 0)
        if bracket and tokens[bracket - 1].word:
            yield _naming(tokens[bracket - 1], "definition")
            defining = True
    if defining and not (language.name == "python" and tokens[0].text == b"class"):
        yield from _parameters(language, tokens)
    if arrow:
        yield from _arrows(language, tokens)
    yield from _bars(language, tokens)


def _behind_brackets(tokens: list[Token], start: int) -> Token | None:
    depth = 0
    for token in tokens[start:]:
        depth += _OPENS.get(token.text, 0)
        if depth == 0 and token.word:
            return token
    return None


def _arrows(language: Language, tokens: list[Token]) -> Iterator[Naming]:
    """Yield the parameters before arrows: ``x => …``, ``(a, b) => …``."""
    opened: list[int] = []
    group = 0
    for i, token in enumerate(tokens):
        change = _OPENS.get(token.text, 0)
        if change > 0:
            opened.append(i)
        elif change < 0:
            group = opened.pop() if opened else i
        elif token.text == b"=>" and i:
            if tokens[i - 1].word:
                yield _naming(tokens[i - 1], "parameter", inside=True)
            elif tokens[i - 1].text == b")":
                yield from _parameters(language, tokens[group:i])


def _parameters(language: Language, tokens: list[Token]) -> Iterator[Naming]:
    """Yield the names in round brackets, of each part between commas one."""
    depth = 0
    part: list[Token] = []
    done = False
    for token in tokens:
        change = _OPENS.get(token.text, 0)
        if depth == 1 and (token.text == b"," or change < 0):
            name = _parameter(language, part)
            if name is not None:
                yield _naming(name, "parameter", inside=True)
            part, done = [], False
        elif depth == 1:
            done = done or token.text in (b"=", b"default")
            part += [] if done else [token]
        elif depth > 1 and token.word and not done:
            part.append(token)
        depth = max(0, depth + change)
        if change > 0 and depth == 1:
            part, done = [], token.text != b"("
    name = _parameter(language, part)
    if depth == 1 and name is not None:  # the brackets are not closed yet
        yield _naming(name, "parameter", inside=True)


def _parameter(language: Language, part: list[Token]) -> Token | None:
    colon = next((i for i, t in enumerate(part) if t.text == b":"), None)
    words = [t for t in part[:colon] if t.word and t.text not in language.rules.keywords]
    if not words:
        return None
    last = colon is not None or language.name in (*_TYPES_FIRST, "php")
    return words[-1] if last else words[0]


def _bars(language: Language, tokens: list[Token]) -> Iterator[Naming]:
    """Yield parameters between bars: ``|a, b|`` of Ruby and Rust."""
    if language.name not in ("ruby", "rust"):
        return
    bars = [i for i, t in enumerate(tokens) if t.text == b"|"]
    for start, end in zip(bars[::2], bars[1::2], strict=False):
        for i in range(start + 1, end):
            if tokens[i].word and tokens[i - 1].text in (b"|", b",", b"(", b"&", b"mut"):
                yield _naming(tokens[i], "parameter", inside=True)


def _declared(language: Language, tokens: list[Token], *, opens: bool) -> Iterator[Naming]:
    """Yield variables."""
    keywords = language.rules.keywords
    stop = next((i for i, t in enumerate(tokens) if t.text in _STOPS), len(tokens))
    ends = tokens[stop].text if stop < len(tokens) else b""
    declares = any(t.text in _DECLARES or t.text == b"for" for t in tokens[:stop])
    assigns = ends in (b"=", b":=") and (language.name in _ASSIGNS or ends == b":=")
    if language.name == "python" and len(tokens) > 1 and tokens[1].text == b":":
        yield _naming(tokens[0], "variable")
    if tokens[0].text in _CONTROL and not declares and language.name not in _TYPES_FIRST:
        assigns = ends == b":="
    inside = opens and any(t.text in (b"for", b"let", b"if", b"while") for t in tokens[:stop])
    inside = inside and tokens[0].text != b"guard"
    if declares or assigns:
        depth = level = 0
        taking = True
        for i, token in enumerate(tokens):
            depth += _OPENS.get(token.text, 0)
            if token.text in _STOPS:
                taking, level = False, depth
            elif token.text == b"," and depth <= level and language.name in _SCRIPTS:
                taking = True  # `const a = 1, b = 2`
            if not taking:
                continue
            before = tokens[i - 1].text if i else b""
            following = tokens[i + 1].text if i + 1 < len(tokens) else b""
            if not token.word or token.text in keywords or before in (b".", b"->", b"::", b"<"):
                continue
            if (before == b":" and not depth) or following in (b".", b"[", b"("):
                continue
            yield _naming(token, "variable", inside=inside)
    for i, token in enumerate(tokens):
        before = tokens[i - 1].text if i else b""
        following = tokens[i + 1].text if i + 1 < len(tokens) else b";"
        walrus = following == b":=" and language.name == "python"
        if token.word and (before == b"as" or walrus):
            yield _naming(token, "variable")
        elif language.name in _TYPES_FIRST and token.word and i and before not in _CONTROL:
            typed = (tokens[i - 1].word and before != b"new") or before in (b">", b"*", b"&", b"]")
            if typed and following in (b"=", b";", b",", b":", b"[", b")", b"{"):
                yield _naming(token, "variable", inside=inside)
