"""Cursor slices of a tree: the same middles cut at different places.

A block is up to ten items. Eight are of one middle, a logical line that stands on one line of
text; the cursor is

- ``boundary``: behind a token, before a blank;
- ``identifier``: inside an identifier;
- ``indentation``: inside the blanks at the line's start;
- ``opening``: right behind ``(`` or ``.``;
- ``string``: inside a string;

and the middle goes on to the end of the line. The last three have the cut of ``boundary``:

- ``crlf``: the whole file with CRLF line ends;
- ``notebook``: only the middle's cell around it, and earlier cells as snippets;
- ``right-edge``: the middle ends inside a word, with which the suffix begins.

Two are of another middle, because few lines have characters of several bytes:

- ``character``: inside such a character;
- ``before-character``: right before the same one.

Items of one middle share ``data["middle"]``. Middles that allow all cuts are taken first, so these
are longer lines than most; what is compared are the cuts, not this line with any line. In every
item prefix + reference + suffix are the file (the cell). Files with CRLF line ends are as they are
in ``crlf`` and have LF in the other kinds; files that mix line ends are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from eval.build.cells import MOST, notebook_cells, split_cells
from eval.build.middles import Middle, middles, wide_lines
from eval.build.spread import draw, spread, top_folder
from eval.build.tree import SourceFile, Tree
from eval.item import Item, Related

VERSION = "1"
LEFT_CUTS = ("boundary", "identifier", "indentation", "opening", "string")
WIDE_CUTS = ("character", "before-character")
KINDS = (*LEFT_CUTS, "crlf", "notebook", "right-edge", *WIDE_CUTS)

Place = tuple[SourceFile, Middle]
"""A middle and the file it is in, the file's line ends LF."""


def build(tree: Tree, limit: int, seed: int) -> tuple[list[Item], list[str]]:
    """Return at most ``limit`` items of a tree, in blocks, spread over folders and files.

    Also returns a warning for each kind of which the tree has fewer than of the others.
    """
    files = spread(
        [lf for file in tree.python if (lf := _with_lf(file)) is not None],
        (lambda file: top_folder(file.path),),
        lambda file: draw(seed, file.path),
    )
    crlf = {file.path: file.text for file in tree.python if b"\r\n" in file.text}
    wide_files = [file for file in files if not file.text.isascii()]
    real = _of_notebooks(tree.notebooks, seed)
    read = cache(lambda file: middles(file.path, file.text, seed))
    read_wide = cache(lambda file: wide_lines(file.path, file.text, seed))
    items: list[Item] = []
    blocks = -(-limit // len(KINDS))
    while True:
        plain, wide = _choose(files, blocks, read), _choose(wide_files, blocks, read_wide)
        items = []
        for block in range(blocks):
            for file, middle in plain[block : block + 1]:
                items += _of_middle(file, middle, crlf.get(file.path), cells=not tree.notebooks)
            items += real[block : block + 1]
            for file, middle in wide[block : block + 1]:
                items += [_item(file, middle, kind, cut) for kind, cut in middle.cuts.items()]
        if len(items) >= limit or blocks > max(len(plain), len(wide), len(real)):
            break
        blocks *= 2  # the tree has not enough middles that allow all cuts
    items = items[:limit]
    return items, _warnings(items, limit, tree)


def _warnings(items: list[Item], limit: int, tree: Tree) -> list[str]:
    wanted = limit // len(KINDS)
    counts = {kind: sum(item.kind == kind for item in items) for kind in KINDS}
    few = [f"{count} {kind}" for kind, count in counts.items() if count < wanted]
    if not few:
        return []
    return [f"{tree.name} has fewer than {wanted} items of some kinds: {', '.join(few)}"]


def _with_lf(file: SourceFile) -> SourceFile | None:
    if b"\r" not in file.text:
        return file
    text = file.text.replace(b"\r\n", b"\n")
    if b"\r" in text or text.count(b"\n") != file.text.count(b"\r\n"):
        return None
    return SourceFile(path=file.path, text=text)


def _choose(
    files: Iterable[SourceFile], want: int, found_in: Callable[[SourceFile], list[Middle]]
) -> list[Place]:
    """Return ``want`` middles: those with all cuts first, then from as many files as possible."""
    ranked: list[tuple[tuple[int, int, int], Place]] = []
    best = 0
    for number, file in enumerate(files):
        found = found_in(file)
        for turn, middle in enumerate(found):
            missing = len(LEFT_CUTS) + 1 - len(middle.cuts) - bool(middle.right)
            ranked.append(((missing, turn, number), (file, middle)))
        best += bool(found) and len(found[0].cuts) == len(LEFT_CUTS) and bool(found[0].right)
        if best == want:
            break  # what other files have comes behind these in any case
    return [place for _, place in sorted(ranked, key=lambda row: row[0])[:want]]


def _of_middle(file: SourceFile, middle: Middle, crlf: bytes | None, *, cells: bool) -> list[Item]:
    items = [_item(file, middle, kind, cut) for kind, cut in middle.cuts.items()]
    at = middle.cuts.get("boundary")
    if at is None:
        return items
    items.append(_crlf(_item(file, middle, "crlf", at), crlf))
    if cells and (cell := _cell(file, middle, at)) is not None:
        items.append(cell)
    if middle.right:
        items.append(_item(file, middle, "right-edge", at, middle.right))
    return items


def _item(file: SourceFile, middle: Middle, kind: str, cut: int, end: int = 0) -> Item:
    end = end or middle.end
    name = f"{file.path}:{middle.line}"
    return Item(
        id=f"{name}:{kind}",
        prefix=file.text[:cut],
        suffix=file.text[end:],
        reference=file.text[cut:end],
        path=file.path,
        kind=kind,
        data={"middle": f"{name}:wide" if kind in WIDE_CUTS else name},
    )


def _crlf(item: Item, original: bytes | None) -> Item:
    """Return the item with CRLF line ends; ``original``: the file, if it has them by itself."""
    prefix, suffix = (text.replace(b"\n", b"\r\n") for text in (item.prefix, item.suffix))
    assert original is None or prefix + item.reference + suffix == original
    return Item(
        id=item.id,
        prefix=prefix,
        suffix=suffix,
        reference=item.reference,
        path=item.path,
        eol="\r\n",
        kind=item.kind,
        data=item.data,
    )


def _cell(file: SourceFile, middle: Middle, at: int) -> Item | None:
    """Return the middle in a notebook made of its file; ``None``: its cell is the first."""
    cells, start = split_cells(file.text), 0
    for number, cell in enumerate(cells):
        if start <= middle.line < start + len(cell):
            if not number:
                return None
            path = file.path.removesuffix(".py") + ".ipynb"
            shifted = Middle(
                line=middle.line - start,
                start=middle.start - start,
                end=middle.end - start,
                cuts={},
            )
            own = SourceFile(path=path, text=cell)
            name = f"{file.path}:{middle.line}"
            return _in_cell(own, shifted, at - start, cells[:number], name)
        start += len(cell)
    return None


def _in_cell(own: SourceFile, middle: Middle, at: int, earlier: list[bytes], name: str) -> Item:
    cut = _item(own, middle, "notebook", at)
    near = [cell for cell in earlier if cell.strip()][-MOST:]
    related = tuple(
        Related(path=own.path, text=cell, kind="sibling_cell", relevance=(place + 1) / len(near))
        for place, cell in enumerate(near)
    )
    return Item(
        id=f"{name}:notebook",
        prefix=cut.prefix,
        suffix=cut.suffix,
        reference=cut.reference,
        path=own.path,
        related=related,
        kind="notebook",
        data={"middle": name},
    )


def _of_notebooks(files: tuple[SourceFile, ...], seed: int) -> list[Item]:
    """Return items of the real notebooks, one of each cell, best cells of each file first."""
    found: list[tuple[str, Item]] = []
    for file in files:
        cells = notebook_cells(file.text)
        for number, cell in enumerate(cells):
            name = f"{file.path}#{number}"
            for middle in middles(name, cell, seed)[:1]:
                if number and "boundary" in middle.cuts and b"\r" not in cell:
                    own = SourceFile(path=file.path, text=cell)
                    at = middle.cuts["boundary"]
                    item = _in_cell(own, middle, at, cells[:number], f"{name}:{middle.line}")
                    found.append((file.path, item))
    ordered = spread(
        found,
        (lambda pair: top_folder(pair[0]), lambda pair: pair[0]),
        lambda pair: draw(seed, pair[1].id),
    )
    return [item for _, item in ordered]
