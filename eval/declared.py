"""Plain JSON held against the types that a dataclass declares, so that damage is said by its field.

Lives here: which field of which table is not what it should be. What a table means is not known.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Iterable
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints


def mismatch(value: Any, want: Any, where: str = "") -> str:
    """Return what in ``value`` is not of the type ``want``, the first find; empty: nothing.

    ``want`` may be a dataclass (a table with its fields; those with a default may be missing, and
    fields that it does not have are left aside), ``dict[str, …]``, ``list[…]``, a union, a plain
    type or ``Any``. Numbers have to be finite, and true and false are none.
    """
    if want is Any:
        return ""
    origin = get_origin(want)
    if origin in (types.UnionType, Union):
        found = [mismatch(value, choice, where) for choice in get_args(want)]
        return "" if "" in found else found[0]
    if dataclasses.is_dataclass(want):
        return _table(value, want, where)
    if origin is dict:
        inner = get_args(want)[1]
        if not isinstance(value, dict):
            return _not(value, where, "an object")
        return first(mismatch(v, inner, _inside(where, k)) for k, v in value.items())
    if origin is list:
        (inner,) = get_args(want)
        if not isinstance(value, list):
            return _not(value, where, "a list")
        return first(mismatch(v, inner, f"{where}[{n}]") for n, v in enumerate(value))
    if want is float or want is int:
        return "" if _is_number(value, whole=want is int) else _not(value, where, _NAMES[want])
    return "" if isinstance(value, want) else _not(value, where, _NAMES.get(want, str(want)))


_NAMES: dict[Any, str] = {
    float: "a number", int: "a whole number", str: "a text", bool: "true or false",
    type(None): "null",
}  # fmt: skip


def first(found: Iterable[str]) -> str:
    """Return the first that is not empty."""
    return next(filter(None, found), "")


def _table(value: Any, want: Any, where: str) -> str:
    if not isinstance(value, dict):
        return _not(value, where, "an object")
    types_, needed = _fields(want)
    missing = next((name for name in needed if name not in value), "")
    if missing:
        return f"{_inside(where, missing)} is missing"
    there = ((name, kind) for name, kind in types_ if name in value)
    return first(mismatch(value[name], kind, _inside(where, name)) for name, kind in there)


@cache
def _fields(kind: Any) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return names and types of all fields, and the names of those without a default."""
    none = dataclasses.MISSING
    needed = [
        f.name for f in dataclasses.fields(kind) if f.default is none and f.default_factory is none
    ]
    return list(get_type_hints(kind).items()), needed


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floating-point ones
        return False


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _not(value: Any, where: str, want: str) -> str:
    return f"{where} must be {want}, not {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    written = "a number beyond all bounds" if _is_huge(value) else json.dumps(value)
    return written if len(written) <= 40 else written[:39] + "…"


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 10**40
