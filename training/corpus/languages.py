"""The language of a source file, told by its name's ending.

Pure. The table here is what a corpus takes: code, and neither data nor text for people, of which
:mod:`completion.syntax` knows some too. Where that has the language, its endings count first.
"""

from __future__ import annotations

from completion.syntax.languages import language_for

PYTHON = "python"
_SLASHES, _HASH, _DASHES = "//", "#", "--"
_TABLE = {
    "javascript": (_SLASHES, ".js .jsx .mjs .cjs"),
    "typescript": (_SLASHES, ".ts .tsx .mts .cts"),
    "go": (_SLASHES, ".go"),
    "rust": (_SLASHES, ".rs"),
    "java": (_SLASHES, ".java"),
    "kotlin": (_SLASHES, ".kt .kts"),
    "scala": (_SLASHES, ".scala"),
    "groovy": (_SLASHES, ".groovy .gradle"),
    "c": (_SLASHES, ".c .h"),
    "cpp": (_SLASHES, ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .inl .cu .cuh"),
    "csharp": (_SLASHES, ".cs"),
    "fsharp": (_SLASHES, ".fs .fsx"),
    "swift": (_SLASHES, ".swift"),
    "objective-c": (_SLASHES, ".m .mm"),
    "dart": (_SLASHES, ".dart"),
    "zig": (_SLASHES, ".zig"),
    "php": (_SLASHES, ".php"),
    "proto": (_SLASHES, ".proto"),
    "ruby": (_HASH, ".rb .rake"),
    "shell": (_HASH, ".sh .bash .zsh"),
    "perl": (_HASH, ".pl .pm"),
    "r": (_HASH, ".r"),
    "julia": (_HASH, ".jl"),
    "elixir": (_HASH, ".ex .exs"),
    "nim": (_HASH, ".nim"),
    "cmake": (_HASH, ".cmake"),
    "lua": (_DASHES, ".lua"),
    "haskell": (_DASHES, ".hs"),
    "sql": (_DASHES, ".sql"),
    "erlang": ("%", ".erl .hrl"),
    "clojure": (";", ".clj .cljs .cljc"),
    "ocaml": ("", ".ml .mli"),
    "vue": ("", ".vue"),
    "svelte": ("", ".svelte"),
}
"""Name to what opens a comment of a whole line, and the endings in lower case."""

_NAMES = {PYTHON, *_TABLE}
_BY_ENDING = {end: name for name, (_, ends) in _TABLE.items() for end in ends.split()}


def language_of(path: str) -> str | None:
    """Return the name of the language that ``path`` is written in; ``None`` where it is not code."""
    known = language_for("", path)
    if known is not None and known.name in _NAMES:
        return known.name
    dot = path.rfind(".")
    return _BY_ENDING.get(path[dot:].lower()) if dot > path.rfind("/") + 1 else None


def comment_of(path: str) -> str:
    """Return what opens a line comment in ``path``; empty where nothing is known to."""
    known = language_for("", path)
    if known is not None:
        return known.line_comment.decode("ascii")
    return _TABLE.get(language_of(path) or "", ("", ""))[0]
