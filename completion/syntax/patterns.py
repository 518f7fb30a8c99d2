"""The patterns that the lexer reads a language by, made of its rules.

Every repetition is possessive or over single bytes that exclude each other, so each pattern is
linear in what it matches.
"""

from __future__ import annotations

import functools
import re

from completion.syntax.rules import PYTHON, LexRules, Quote

BRACKETS: dict[bytes, bytes] = {b"(": b")", b"[": b"]", b"{": b"}", b"`": b"`"}
"""Each opening bracket with its closing one."""

CONDITIONS = frozenset((b"if", b"while", b"for", b"with"))
"""Words whose brackets hold a condition, so that a statement follows these and no operator."""

LABELS = frozenset((b"case", b"default", b"public", b"private", b"protected"))
"""First words of statements that a colon may end."""

_BLANKS = rb"(?:[ \t\f]++|\r++(?!\n))*+"
_LINE = rb"[^\r\n]*+(?:\r++(?!\n)[^\r\n]*+)*+"
"""The rest of a line."""
_LINE_START = rb"(?<![^\n])"
_FREE_TEXT = rb"#(?=[ \t]*+(?:error|warning|pragma|region|endregion|line)\b)"
"""A directive whose line is free text behind the word."""


@functools.cache
def token_pattern(rules: LexRules) -> re.Pattern[bytes]:
    """Return the pattern for blanks and one token of code; its groups are the kinds of tokens."""
    parts = [rb"(?P<eol>\r*+\n)"]
    if rules.block_comments:
        opens = b"|".join(_at_line_start(opener) for opener, _ in rules.block_comments)
        parts.append(rb"(?P<block_comment>" + opens + rb")")
    if rules.quotes and rules is not PYTHON:
        parts.append(rb"(?P<quote>" + b"|".join(q.opens for q in rules.quotes) + rb")")
    comments = list(rules.other_comments)
    if rules.comment:
        before = rb"(?<![^" + rules.comment_after + rb"])" if rules.comment_after else b""
        comments.append(before + re.escape(rules.comment))
    if comments:
        rest = rb"(?:(?!\?>)[^\r\n])*+" if rules.markup == "template" else _LINE
        parts.append(rb"(?P<comment>(?:" + b"|".join(comments) + rb")" + rest + rb")")
    if rules.join:
        parts.append(rb"(?P<join>" + re.escape(rules.join) + rb"\r*+\n)")
    if rules is PYTHON:
        # one prefix for all delimiters, tried only where a quote follows: most words are no strings
        parts.append(rb"(?P<quote>(?=[A-Za-z]{0,2}+[\"'])(?:" + _python_quotes() + rb"))")
    if rules.directives:
        parts.append(rb"(?P<directive>" + _FREE_TEXT + _LINE + rb")")
    if rules.heredoc:
        parts.append(rb"(?P<heredoc>" + rules.heredoc + rb")")
    if rules.scalar:
        parts.append(rb"(?P<scalar>" + rules.scalar + rb")")
    if rules.character:
        parts.append(rb"(?P<character>" + rules.character + rb")")
    if rules.regex:
        parts.append(rb"(?P<regex>/)")
    if rules.markup == "elements":
        parts.append(rb"(?P<element><(?=[A-Za-z_$>]))")
    if rules.markup == "template":
        parts.append(rb"(?P<leave>\?>\r?\n?)")
    parts += [
        rb"(?P<number>0[xX][0-9A-Fa-f_]++|0[bB][01_]++|0[oO][0-7_]++"
        rb"|(?:[0-9](?:[0-9_]|'(?=[0-9A-Fa-f]|\Z))*+(?:\.(?![.A-Za-z_])[0-9_]*+)?+|\.[0-9][0-9_]*+)"
        rb"(?:[eE][+-]?[0-9_]++)?+" + rules.number_suffix + rb")"
        if rules is not PYTHON
        else rb"(?P<number>0[xX][0-9A-Fa-f_]+|0[bB][01_]+|0[oO][0-7_]+"
        rb"|(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9_]++)?[jJ]?)",
        rb"(?P<word>" + rules.word + rb")",
        rb"(?P<open>[(\[{])",
        rb"(?P<close>[)\]}])",
        rb"(?P<operator>" + rules.operators + rb"|[^\s]|[\v\x1c-\x1f])",
        rb"(?P<end>\r*+\Z)",
    ]
    return re.compile(_BLANKS + rb"(?:" + b"|".join(parts) + rb")", re.DOTALL)


def _at_line_start(opener: bytes) -> bytes:
    return _LINE_START + opener + rb"\b" if opener.startswith(b"=") else re.escape(opener)


def _python_quotes() -> bytes:
    return b"|".join(quote.opens for quote in PYTHON.quotes)


def quote_of(rules: LexRules, data: bytes, start: int, end: int) -> tuple[Quote, bytes]:
    """Return the rule that ``data[start:end]`` opens a string by, and what closes that string."""
    for quote in rules.quotes:
        found = re.compile(quote.opens).match(data, start)
        if found and found.end() == end:
            text = found.group()
            return quote, quote.closes if isinstance(quote.closes, bytes) else quote.closes(text)
    raise ValueError(data[start:end])  # only what the token pattern matched is asked for


@functools.lru_cache(maxsize=256)
def text_pattern(quote: Quote, closer: bytes) -> re.Pattern[bytes]:
    """Return the pattern for text up to what ends it or opens something in it.

    Groups: ``close``, ``hole``, ``nest`` (an inner opening bracket) and ``eol``; none where the
    data ends first.
    """
    holes = [opens for opens, _ in quote.holes]
    nests = [quote.nests[0]] if quote.nests else []
    stops = {closer[:1], quote.escape[:1], *(s[:1] for s in (*holes, *quote.plain_holes, *nests))}
    if quote.opens == b"/":
        stops.add(b"[")  # a class of characters, in which the closer is one of them
    free = rb"[^" + b"".join(re.escape(s) for s in sorted(stops) if s)
    free += (b"" if quote.lines else rb"\r\n") + rb"]++"
    body = [free]
    if quote.escape:
        other = b"".join(rb"(?!" + re.escape(hole) + rb")" for hole in holes)
        body.append(other + re.escape(quote.escape) + rb"(?:\r\n|.)")
    if quote.doubled:
        body.append(re.escape(closer * 2))
    body += [re.escape(hole) for hole in quote.plain_holes]
    if quote.opens == b"/":
        body.append(rb"\[(?:[^\]\\\r\n]|\\[^\r\n])*+(?:\]|\Z|(?=[\r\n]))")
    ends = [rb"(?P<close>" + re.escape(closer) + rb")"]
    if holes:
        ends.append(rb"(?P<hole>" + b"|".join(map(re.escape, holes)) + rb")")
    if nests:
        ends.append(rb"(?P<nest>" + re.escape(nests[0]) + rb")")
    if not quote.lines:
        ends.append(rb"(?P<eol>\r*+\n)")
    end = rb"|".join(ends)
    body.append(rb"(?!" + end.replace(b"?P<", b"?P<_") + rb").")
    return re.compile(rb"(?:" + b"|".join(body) + rb")*+(?:" + end + rb")?+", re.DOTALL)


@functools.lru_cache(maxsize=256)
def heredoc_pattern(
    word: bytes, indented: bool, holes: tuple[bytes, ...], loose: bool
) -> re.Pattern[bytes]:
    """Return the pattern for a here-document up to the line that ends it, or an interpolation.

    ``loose``: code may follow the ending word on its line.
    """
    close = _LINE_START + (rb"[ \t]*+" if indented else b"") + re.escape(word)
    close = (
        rb"(?P<close>" + close + (rb"(?![\w\x80-\xff])" if loose else rb"(?=\r*+(?:\n|\Z))") + rb")"
    )
    hole = rb"|(?P<hole>" + b"|".join(map(re.escape, holes)) + rb")" if holes else b""
    end = close + hole
    body = (
        rb"(?:" + (rb"\\.|" if holes else b"") + rb"(?!" + end.replace(b"?P<", b"?P<_") + rb").)*+"
    )
    if not holes:
        # whole lines at a time
        body = (
            rb"(?:(?!"
            + close.replace(b"?P<", b"?P<_")
            + rb")[^\n]*+\n)*+(?:(?!"
            + close.replace(b"?P<", b"?P<__")
            + rb")[^\n]++\Z)?+"
        )
    return re.compile(body + rb"(?:" + end + rb")?+", re.DOTALL)


@functools.lru_cache(maxsize=256)
def comment_pattern(opener: bytes, closer: bytes, nested: bool) -> re.Pattern[bytes]:
    """Return the pattern for a block comment up to its closer (``close``) or another one (``nest``)."""
    if closer.startswith(b"="):  # of Ruby: a whole line
        close = _LINE_START + re.escape(closer) + rb"(?!\w)[^\n]*+"
        return re.compile(
            rb"(?:(?!"
            + close
            + rb")[^\n]*+(?:\n|\Z(?!(?<=\n))))*+(?:(?P<close>"
            + close
            + rb"))?+",
            re.DOTALL,
        )
    close = re.escape(closer)
    nest = rb"|(?P<nest>" + re.escape(opener) + rb")" if nested else b""
    first = b"".join(re.escape(b) for b in sorted({closer[:1], opener[:1] if nested else b""}) if b)
    skip = rb"(?!" + close + (rb"|" + re.escape(opener) if nested else b"") + rb")."
    return re.compile(
        rb"(?:[^" + first + rb"]++|" + skip + rb")*+(?:(?P<close>" + close + rb")" + nest + rb")?+",
        re.DOTALL,
    )


@functools.cache
def plain_lines_pattern(rules: LexRules) -> re.Pattern[bytes] | None:
    """Return a pattern that swallows whole lines in which nothing stays open, or ``None``.

    A quick way over long prefixes of Python: such a line starts and ends outside of brackets and
    strings, so only the last ones have to be read token by token. Brackets nested more than twice
    and everything that spans lines are left to the lexer. Where braces make blocks it would not
    pay: statements stand in runs too short.
    """
    if rules is not PYTHON:
        return None
    return re.compile(rb"(?:" + _python_run() + rb"(?:#[^\n]*+)?\n)++")


@functools.cache
def plain_run_pattern(rules: LexRules) -> re.Pattern[bytes] | None:
    """Return a pattern for a stretch inside one line that leaves nothing open, or ``None``."""
    if rules is PYTHON:
        return re.compile(_python_run())
    return _run(rules)


def _python_run() -> bytes:
    # Braces count in f-strings only; a pair with nothing in it that could nest is fine in both.
    body = rb"(?:[^%s\\\n{]++|\\[^\r\n]|\{\{|\{[^\"'#\\\n{}]*+\})*+"
    double = rb'"' + body % b'"' + rb'"(?!")'
    single = rb"'" + body % b"'" + rb"'(?!')"
    docstring = rb'"""[^"\\\n{]*+"""(?!")'
    strings = docstring + rb"|" + double + rb"|" + single
    free = rb"[^()\[\]{}'\"#\\\n]++"
    inner = rb"(?:" + free + rb"|" + strings + rb")*+"
    nested = rb"(?:\(" + inner + rb"\)|\[" + inner + rb"\]|\{" + inner + rb"\})"
    outer = rb"(?:" + free + rb"|" + strings + rb"|" + nested + rb")*+"
    atom = rb"\(" + outer + rb"\)|\[" + outer + rb"\]|\{" + outer + rb"\}"
    return rb"(?:" + free + rb"|" + strings + rb"|" + atom + rb")*+"


def _run(rules: LexRules) -> re.Pattern[bytes] | None:
    """The same for the other languages: words, plain operators, short strings, round brackets.

    Whatever may begin or end a statement, a block, a comment or a text is left to the lexer.
    """
    if rules.blocks not in ("brace", "end") or rules.markup == "page":
        return None
    special = set(b"()[]{}'\"`#\\\r\n;")
    special |= set(b"<" if rules.markup or rules.heredoc else b"")
    special |= set(b"/" if rules.comment == b"//" or rules.block_comments or rules.regex else b"")
    special |= set(b"-" if rules.comment == b"--" else b"")
    special |= set(b"%|&!?$" if rules.blocks == "end" else b"")
    special |= set(b"?" if rules.markup == "template" else b"")
    special |= set(b"=<" if rules.block_comments[:1] == ((b"=begin", b"=end"),) else b"")
    plain = rb"[^\w\x80-\xff" + re.escape(bytes(sorted(special))) + rb"]++"
    watched = rules.block_words | rules.end_words | rules.middle_words
    if rules.regex and rules.blocks == "brace":
        watched = CONDITIONS
    word = rb"[\w\x80-\xff]++"
    if watched and (rules.blocks == "end" or rules.regex):
        stop = rb"(?!(?:" + b"|".join(map(re.escape, sorted(watched))) + rb")(?![\w\x80-\xff]))"
        word = rb"(?<![\w\x80-\xff])" + stop + rb"[\w\x80-\xff]++"
    if rules.blocks == "end":
        # what follows a dot or a colon is a name whatever it is, and so is a hash's key
        plain = (
            rb"[^\w\x80-\xff.:" + re.escape(bytes(sorted(special))) + rb"]++|[.:]++[\w\x80-\xff]*+"
        )
    string = rb'(?<![\w$@%\x80-\xff])"[^"\\\r\n$#{`]*+"(?!")'
    flat = word + rb"|" + plain + rb"|" + string
    inner = rb"(?:" + flat + rb")*+"
    nested = rb"\(" + inner + rb"\)|\[" + inner + rb"\]"
    outer = rb"(?:" + flat + rb"|" + nested + rb")*+"
    if rules.blocks == "end":  # commands in brackets: `$(if …)`
        return re.compile(rb"(?:" + flat + rb")*+")
    return re.compile(rb"(?:" + flat + rb"|\(" + outer + rb"\)|\[" + outer + rb"\])*+")
