"""Queries, pages, styles, data and build files."""

from __future__ import annotations

from dataclasses import replace

from completion.syntax.rules.record import (
    DOUBLE,
    SINGLE,
    STARS,
    LexRules,
    one_line,
    spanning,
    words,
)

SQL = LexRules(
    comment=b"--",
    block_comments=STARS,
    quotes=(
        spanning(rb"(?:[eE])'", b"'", doubled=True),
        spanning(b"'", escape=b"", doubled=True),
        one_line(b'"', escape=b"", doubled=True, scope="code"),
        one_line(b"`", escape=b"", scope="code"),
    ),
    word=rb"[A-Za-z_0-9$\x80-\xff]++",
    operators=rb"\|\||::|->>?|<=|>=|<>|!=|:=",
    number_suffix=b"",
    ignores_case=True,
    ends="semicolon",
    statement_words=words("create insert update delete drop alter commit rollback"),
    keywords=words(
        "add all alter and any as asc before begin between by case cast check column commit "
        "constraint create cross current_date current_timestamp database default delete desc distinct "
        "drop each else end except exists false fetch first following for foreign from full function "
        "grant group having if ilike in index inner insert intersect into is join key language last "
        "lateral left like limit materialized natural not null nulls offset on or order outer over "
        "partition preceding primary procedure range recursive references returning returns revoke "
        "right rollback row rows schema select sequence set table temporary then to transaction "
        "trigger true truncate union unique update using values view when where window with"
    ),
)

HTML = LexRules(
    comment=b"",
    block_comments=((b"<!--", b"-->"),),
    markup="page",
    word=rb"[A-Za-z_0-9\x80-\xff-]++",
)

CSS = LexRules(
    comment=b"",
    block_comments=STARS,
    quotes=(DOUBLE, SINGLE),
    word=rb"[-@#.]?[A-Za-z_0-9\x80-\xff][A-Za-z_0-9\x80-\xff-]*+",
    operators=rb"::|[~|^$*]=",
    number_suffix=b"(?:[a-zA-Z]++|%)?",
    literals="none",
    blocks="brace",
    ends="semicolon",
    import_words=words("@import"),
    keywords=words(
        "@import @media @font-face @keyframes @supports @layer @container @page @charset"
    ),
)

SCSS = replace(
    CSS,
    comment=b"//",
    keywords=CSS.keywords
    | words("@use @forward @mixin @include @function @return @extend @if @else @for @each @while"),
)

JSON = LexRules(
    comment=b"//", block_comments=STARS, quotes=(DOUBLE,), keywords=words("true false null")
)

YAML = LexRules(
    comment=b"#",
    comment_after=b" \t\n",
    quotes=(
        spanning(b'"'),
        spanning(b"'", escape=b"", doubled=True),
    ),
    scalar=rb"(?<=[ \t:-])[|>][-+0-9]*+(?=[ \t]*+(?:#[^\n]*+)?\r*\n)",
    word=rb"[A-Za-z_0-9\x80-\xff][A-Za-z_0-9\x80-\xff./-]*+",
    blocks="indent",
    keywords=words("true false null yes no on off"),
)

TOML = LexRules(
    comment=b"#",
    quotes=(spanning(b'"""'), spanning(b"'''", escape=b""), DOUBLE, one_line(b"'", escape=b"")),
    word=rb"[A-Za-z_0-9\x80-\xff-]++",
    keywords=words("true false inf nan"),
)

MARKDOWN = LexRules(comment=b"", block_comments=((b"<!--", b"-->"),))

MAKE = LexRules(
    comment=b"#",
    comment_after=b" \t\n;",
    join=b"\\",
    word=rb"[A-Za-z_0-9\x80-\xff][A-Za-z_0-9\x80-\xff.-]*+",
    operators=rb":::?=|::|[?+!:]=|&&|\|\|",
    number_suffix=b"",
    import_words=words("include"),
    keywords=words(
        "define endef ifdef ifndef ifeq ifneq else endif include override export unexport vpath"
    ),
)

DOCKERFILE = LexRules(
    comment=b"#",
    comment_after=b"\n",
    quotes=(DOUBLE, SINGLE),
    join=b"\\",
    number_suffix=b"",
    keywords=words(
        "FROM AS RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG "
        "ONBUILD STOPSIGNAL HEALTHCHECK SHELL"
    ),
)
