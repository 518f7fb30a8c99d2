"""What a file imports, read off its lines: names, and the paths in the workspace they may come from.

Pure but for what is asked of the workspace's files. It reads broken code as it stands, and says
nothing of imports that lead out of the workspace: their paths are not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath

from lsp.context.found import Files, Spot

MAX_BYTES = 32 << 10
"""Imports stand at the top of a file; further down nobody looks."""
EVERYTHING = b"*"
Names = tuple[tuple[bytes, bytes], ...]
"""Pairs: what it is called here, what it is called where it is defined."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One import."""

    paths: tuple[str, ...]
    """Relative to the workspace folder; the first that is there is meant."""
    names: Names = ()
    """None: the module as a whole."""

    @property
    def brings_all(self) -> bool:
        """Whether all names of the module come in."""
        return any(local == EVERYTHING for local, _ in self.names)


def imported(spot: Spot, files: Files) -> Iterator[Imported]:
    """Yield the imports of a file in their order, those inside the language's own library too."""
    reader = _READERS.get(spot.language.name) if spot.language is not None else None
    if reader is not None:
        yield from reader(spot.text[:MAX_BYTES], PurePosixPath(spot.path), files)


_Reader = Callable[[bytes, PurePosixPath, Files], Iterator[Imported]]

_PYTHON = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]+(\([^)]*\)?|[^\n;#]+)"
    rb"|import[ \t]+([^\n;#]+))",
    re.MULTILINE,
)


def _python(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    for dots, module, names, whole in _PYTHON.findall(text):
        for one in whole.split(b",") if whole else ():
            words = one.split()
            if words:
                yield Imported(_python_paths(words[0], path, 0))
        if not names:
            continue
        pairs = tuple(_renamed(re.sub(rb"#[^\n]*", b"", names).strip(b"() \t\n\\"), b" as "))
        paths = _python_paths(module, path, len(dots))
        yield Imported(paths, pairs)
        for _, name in pairs:  # each may be a module itself
            if name != EVERYTHING:
                inner = b".".join(part for part in (module, name) if part)
                yield Imported(_python_paths(inner, path, len(dots)))


def _python_paths(module: bytes, path: PurePosixPath, dots: int) -> tuple[str, ...]:
    parts = [part for part in _str(module).split(".") if part]
    if dots:
        parents = (path.parent, *path.parent.parents)
        bases = [parents[dots - 1]] if dots <= len(parents) else []
    else:
        bases = [PurePosixPath("."), PurePosixPath("src"), *reversed([*path.parents][:-1])]
    out: list[str] = []
    for base in bases:
        place = base.joinpath(*parts)
        if parts:
            out += [f"{place}.py", f"{place}.pyi"]
        out.append(str(place / "__init__.py"))
    return tuple(dict.fromkeys(out))


_SCRIPT = re.compile(
    rb"""(?:\b(?:import|export)\b[ \t]*((?:type[ \t]+)?[\w$*{][^'"`;()]*?)[ \t\n]*\bfrom"""
    rb"""|\b(?:const|let|var)[ \t]+([\w$]+|\{[^}]*\})[ \t]*=[ \t]*(?:await[ \t]+)?"""
    rb"""(?:require|import)[ \t]*\()[ \t\n]*['"]([^'"\n]+)['"]"""
)
_SCRIPT_ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".mts", ".cts")


def _script(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    for what, required, source in _SCRIPT.findall(text):
        module = _str(source)
        if module.startswith("."):
            place = normpath(str(path.parent / module))
        elif module.startswith(("@/", "~/")):
            place = f"src/{module[2:]}"  # what most projects have these for
        else:
            continue
        if place.startswith(".."):
            continue
        stem = re.sub(r"\.[mc]?jsx?$", "", place)
        paths = (
            *(place for _ in (0,) if PurePosixPath(place).suffix in _SCRIPT_ENDINGS),
            *(stem + ending for ending in _SCRIPT_ENDINGS),
            *(f"{place}/index{ending}" for ending in _SCRIPT_ENDINGS[:5]),
        )
        clause = what.removeprefix(b"type ") or required
        braces = re.search(rb"\{([^}]*)\}", clause)
        pairs = tuple(_renamed(braces.group(1).replace(b":", b" as "), b" as ")) if braces else ()
        pairs = tuple((a, b.removeprefix(b"type ").strip()) for a, b in pairs)
        default = re.match(rb"[\w$]+", clause)
        if default:  # its name here is often its name there
            pairs = (*pairs, (default.group(), default.group()))
        yield Imported(paths, pairs)
        if default:
            yield Imported(paths)


_GO = re.compile(rb'^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?"([^"\n]+)"', re.MULTILINE)
_GO_MODULE = re.compile(rb"^module[ \t]+(\S+)", re.MULTILINE)


def _go(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    for folder in path.parents:
        module = files.read(str(folder / "go.mod"))
        named = _GO_MODULE.search(module.data) if module is not None else None
        if named is None:
            continue
        head = re.search(rb"^(?:func|type|var|const)\b", text, re.MULTILINE)
        for package in _GO.findall(text[: head.start()] if head else text):
            inside = (package + b"/").removeprefix(named.group(1) + b"/")
            if len(inside) <= len(package):
                place = normpath(str(folder / _str(inside)))
                for name in files.names("" if place == "." else place, ".go"):
                    if not name.endswith("_test.go"):
                        yield Imported((normpath(f"{place}/{name}"),))
        return


_RUST = re.compile(
    rb"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?(?:use[ \t]+([^;]+);|mod[ \t]+(\w+);)", re.M
)


def _rust(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    source = next((p for p in path.parents if p.name == "src"), path.parent)
    is_root = path.name in ("mod.rs", "lib.rs", "main.rs")
    own = path.parent if is_root else path.parent / path.stem
    for use, module in _RUST.findall(text):
        if module:
            place = own / _str(module)
            yield Imported((f"{place}.rs", str(place / "mod.rs")))
            continue
        for parts in _branches(b" ".join(use.split())):
            head, rest = parts[0], parts[1:]
            base = {b"crate": source, b"self": own, b"super": own.parent}.get(head)
            while base is not None and rest and rest[0] == b"super":
                base, rest = base.parent, rest[1:]
            if base is None or not rest:
                continue
            local, name = next(_renamed(rest[-1], b" as "), (b"", b""))
            outer = base.joinpath(*map(_str, rest[:-1]))
            inner = base.joinpath(*map(_str, (*rest[:-1], name)))
            if name not in (EVERYTHING, b"self"):
                yield Imported((f"{inner}.rs", str(inner / "mod.rs")))
            names = ((local, name),) if name != b"self" else ()
            inside = (f"{outer}.rs", str(outer / "mod.rs"), f"{outer}/lib.rs", f"{outer}/main.rs")
            yield Imported(inside, names)


def _branches(use: bytes) -> Iterator[list[bytes]]:
    """Yield the paths of ``a::{b, c::d}``, each as its parts."""
    opened = use.find(b"{")
    if opened < 0:
        yield [part.strip() for part in use.split(b"::")]
        return
    head = [part.strip() for part in use[:opened].split(b"::") if part.strip()]
    depth, start = 0, opened + 1
    for at in range(opened, len(use)):
        byte = use[at : at + 1]
        depth += (byte == b"{") - (byte == b"}")
        if (byte == b"," and depth == 1) or depth == 0:
            if use[start:at].strip():
                for rest in _branches(use[start:at].strip()):
                    yield [*head, *rest]
            start = at + 1
        if depth == 0:
            return


_JAVA = re.compile(rb"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)(\.\*)?", re.MULTILINE)
_JAVA_PACKAGE = re.compile(rb"^[ \t]*package[ \t]+([\w.]+)", re.MULTILINE)


def _java(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    package = _JAVA_PACKAGE.search(text)
    depth = _str(package.group(1)).count(".") + 1 if package else 0
    parents = [path.parent, *path.parent.parents]
    base = parents[depth] if depth < len(parents) else PurePosixPath(".")
    roots = dict.fromkeys((base, *(PurePosixPath(p) for p in ("src/main/java", "src", "."))))
    endings = (".java", ".kt", ".scala")
    for name, star in _JAVA.findall(text):
        parts = _str(name).split(".")
        if star:
            for root in roots:
                place = str(root.joinpath(*parts))
                for found in files.names(place, ".java")[:8]:
                    yield Imported((f"{place}/{found}",))
            continue
        places = [root.joinpath(*parts) for root in roots]
        # of a static import or a nested class the file is called for what is around it
        places += [place.parent for place in places if len(parts) > 1]
        paths = tuple(f"{place}{ending}" for place in places for ending in endings)
        yield Imported(paths, ((name.rpartition(b".")[2],) * 2,))


_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*(?:include|import)[ \t]*["<]([^">\n]+)[">]', re.MULTILINE)


def _include(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    for name in _INCLUDE.findall(text):
        bases = (path.parent, *(PurePosixPath(p) for p in (".", "include", "src", "lib")))
        places = (normpath(str(base / _str(name))) for base in dict.fromkeys(bases))
        yield Imported(tuple(place for place in places if not place.startswith("..")))


_REQUIRE = re.compile(rb"""^[ \t]*require(_relative)?[ \t(]+['"]([^'"\n]+)['"]""", re.MULTILINE)


def _ruby(text: bytes, path: PurePosixPath, files: Files) -> Iterator[Imported]:
    for relative, name in _REQUIRE.findall(text):
        bases = (path.parent,) if relative else (PurePosixPath("lib"), PurePosixPath("."))
        places = (normpath(str(base / _str(name))) for base in bases)
        yield Imported(tuple(p if p.endswith(".rb") else f"{p}.rb" for p in places))


def _renamed(names: bytes, mark: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (local, original) of names between commas, each perhaps with another name here."""
    for one in names.split(b","):
        original, _, local = b" ".join(one.replace(b"\\", b" ").split()).partition(mark)
        if original:
            yield (local or original).strip(), original.strip()


def _str(text: bytes) -> str:
    return text.decode("utf-8", "replace")


_READERS: dict[str, _Reader] = {
    "python": _python,
    **dict.fromkeys(("javascript", "typescript", "tsx"), _script),
    "go": _go,
    "rust": _rust,
    **dict.fromkeys(("java", "kotlin", "scala"), _java),
    **dict.fromkeys(("c", "cpp"), _include),
    "ruby": _ruby,
}
