"""The type of every byte of a document, names told more exactly where they are known.

Pure, and without torch: the types of a corpus are found once, by processes that train nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from completion.syntax.languages import Language
from completion.syntax.token_types import TYPE_IDS, token_types
from training.objectives.names import Name

ByteTypes = npt.NDArray[np.uint8]
_NONE, _NAME, _EOL = TYPE_IDS["NONE"], TYPE_IDS["NAME"], TYPE_IDS["EOL"]
_MOVES = (TYPE_IDS["INDENT"], TYPE_IDS["DEDENT"])


def byte_types(text: str, language: Language | None, names: Iterable[Name] = ()) -> ByteTypes:
    """Return the type of every byte of ``text`` in UTF-8.

    A line end before deeper or shallower code is INDENT or DEDENT; the blanks that follow it are
    NONE, since they say nothing more. ``names`` says more exactly what its names are.
    """
    source = text.encode("utf-8", "surrogatepass")
    of_byte = np.full(len(source), _NONE, dtype=np.uint8)
    line_end: tuple[int, int] | None = None
    for start, end, kind in token_types(language, source):
        if kind in _MOVES:
            if line_end:
                of_byte[slice(*line_end)] = kind
        else:
            of_byte[start:end] = kind
            if kind == _EOL:
                line_end = start, end
    byte_of = byte_offsets(text, len(source))
    for name in names:
        start, end = name.start, name.end
        if byte_of is not None:
            start, end = int(byte_of[start]), int(byte_of[end])
        if of_byte[start] == _NAME:
            of_byte[start:end] = TYPE_IDS[name.kind]
    return of_byte


def byte_offsets(text: str, size: int) -> npt.NDArray[np.int64] | None:
    """Return the byte offset of every character and of the end; ``None``: they are the same.

    ``size`` is that of the text in UTF-8.
    """
    if len(text) == size:
        return None
    code = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    widths = 1 + (code >= 0x80).astype(np.int64) + (code >= 0x800) + (code >= 0x10000)
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(widths)))
