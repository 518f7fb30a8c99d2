"""Which stretch of a document is the middle that the model learns to fill in.

Pure: a parsed document and a random generator in, two character offsets out. Kinds and shares are
the design's; kinds other than random ones come from the syntax tree (Gong et al., AST-T5, arXiv
2401.03003; Sagtani et al., arXiv 2412.16589), and half of them still start at a random character,
because a model that has only seen whole nodes fails in the middle of a word.
"""

from __future__ import annotations

import ast
import bisect
import math
import random
from dataclasses import dataclass

from training.objectives.places import Places, Span, parse_module

SHARES: dict[str, float] = {
    "random": 0.30,
    "line": 0.20,
    "arguments": 0.15,
    "body": 0.10,
    "name": 0.08,
    "header": 0.07,
    "block": 0.05,
    "import": 0.03,
    "docstring": 0.02,
}
"""How often each kind is tried first; one that a window lacks becomes ``line``."""
RANDOM_CUT_SHARE = 0.5
"""Share of the syntax-aligned middles whose start is drawn anew inside the node."""
MAX_RANDOM = 600
"""Characters in the longest random middle; lengths are drawn log-uniformly, so most are short."""
MAX_SHARE = 0.6
"""Most of a window that its middle may take: what is filled in is judged from what is around."""
STATEMENT_SHARE = 0.4
"""Share of the ``line`` middles that go on to the end of the statement."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the middles of each kind lie in one document, in order of their starts."""

    spans: dict[str, list[Span]]
    statements: list[int]
    """Ends of statements, sorted."""


def outline(text: str) -> Outline:
    """Find the candidates of every syntactic kind; text that does not parse has none."""
    tree = parse_module(text)
    return outline_of(Places(text), tree) if tree else Outline(spans={}, statements=[])


def outline_of(places: Places, tree: ast.Module) -> Outline:
    """Find the candidates of every syntactic kind in a text that was parsed already."""
    finder = _Finder(places)
    for node in ast.walk(tree):
        finder.visit(node)
    spans = {kind: sorted(set(found)) for kind, found in finder.spans.items()}
    return Outline(spans=spans, statements=sorted(set(finder.statements)))


def draw_middle(text: str, window: Span, found: Outline, rng: random.Random) -> Span:
    """Return the middle for ``window`` of ``text``: inside it, not empty unless the window is."""
    start, end = window
    if end - start < 2:
        return window
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    if kind == "random":
        return _random(window, rng)
    longest = max(1, int(MAX_SHARE * (end - start)))
    candidates = _inside(found.spans.get(kind, []), window, longest)
    if not candidates:
        return _to_line_end(text, window, found, longest, rng)
    a, b = candidates[rng.randrange(len(candidates))]
    if rng.random() < RANDOM_CUT_SHARE and b - a > 1:
        a = rng.randrange(a, b)
    return a, b


def _random(window: Span, rng: random.Random) -> Span:
    longest = max(1, min(MAX_RANDOM, int(MAX_SHARE * (window[1] - window[0]))))
    length = max(1, round(math.exp(rng.uniform(0, math.log(longest)))))
    start = rng.randrange(window[0], window[1] - length + 1)
    return start, start + length


def _to_line_end(text: str, window: Span, found: Outline, longest: int, rng: random.Random) -> Span:
    """From a random character that is not in a blank line's end to the end of its line."""
    for _ in range(8):
        start = rng.randrange(*window)
        end = text.find("\n", start, window[1])
        end = window[1] if end < 0 else end
        if rng.random() < STATEMENT_SHARE:
            at = bisect.bisect_left(found.statements, max(end, start + 1))
            if at < len(found.statements) and found.statements[at] <= min(
                window[1], start + longest
            ):
                end = found.statements[at]
        if text[start:end].strip():
            return start, end
    return _random(window, rng)


def _inside(spans: list[Span], window: Span, longest: int) -> list[Span]:
    first = bisect.bisect_left(spans, (window[0], 0))
    last = bisect.bisect_left(spans, (window[1], 0))
    return [s for s in spans[first:last] if s[1] <= window[1] and s[1] - s[0] <= longest]


class _Finder:
    """Collects the spans of one document; offsets are characters of the text."""

    def __init__(self, places: Places) -> None:
        self._text = places.text
        self._start, self._end = places.start, places.end
        self.spans: dict[str, list[Span]] = {kind: [] for kind in SHARES}
        self.statements: list[int] = []

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self.statements.append(self._end(node))
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._block("body", self._after_docstring(node))
                self._docstring(node)
                self._header(node, node.body)
            case ast.ClassDef():
                self._docstring(node)
                self._header(node, node.body)
            case ast.If() | ast.While():
                self._add("header", self._start(node.test), self._end(node.test))
                self._block("block", node.body)
            case ast.For() | ast.AsyncFor():
                self._add("header", self._start(node.target), self._end(node.iter))
                self._block("block", node.body)
            case ast.With() | ast.AsyncWith() | ast.Try():
                self._block("block", node.body)
            case ast.Call():
                end = self._end(node)
                if self._text[end - 1 : end] == ")":
                    self._add("arguments", self._open(node.func, end), end - 1)
            case ast.Attribute() | ast.Name():
                self._add("name", self._start(node), self._end(node))
            case ast.Import() | ast.ImportFrom():
                self._add("import", self._start(node), self._end(node))
            case _:
                pass

    def _open(self, function: ast.expr, end: int) -> int:
        """The character behind the parenthesis that opens a call's arguments."""
        at = self._text.find("(", self._end(function), end)
        return end if at < 0 else at + 1

    def _header(self, node: ast.stmt, body: list[ast.stmt]) -> None:
        """What follows ``def`` or ``class`` on the first line."""
        start = self._start(node)
        end = self._text.find("\n", start)
        if body and end > 0:
            word = self._text.find(" ", start)
            self._add("header", word + 1, end)

    def _after_docstring(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
        return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body

    def _docstring(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        if ast.get_docstring(node, clean=False) is not None:
            self._add("docstring", self._start(node.body[0]), self._end(node.body[0]))

    def _block(self, kind: str, body: list[ast.stmt]) -> None:
        if body:
            self._add(kind, self._start(body[0]), self._end(body[-1]))

    def _add(self, kind: str, start: int, end: int) -> None:
        if 0 <= start < end:
            self.spans[kind].append((start, end))
