"""Where the configuration is read from, over the defaults of :mod:`completion.config`.

Order, later wins: ``~/.config/caret/config.toml``, the workspace's ``.caret.toml``, ``CARET_…``
variables, flags (and, in ``caret lsp``, the editor's settings). An unknown key or a wrong value is
a message and the default, never a crash.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from completion.config import Config

WORKSPACE_FILE = ".caret.toml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and what was wrong with where it came from, one line each."""

    config: Config
    messages: tuple[str, ...] = ()


def user_file() -> Path:
    """Return the path of the user's own configuration file."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "caret" / "config.toml"


def load(workspace: Path | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read user file, workspace file and environment, in that order."""
    messages: list[str] = []
    config = Config()
    sources = [(user_file(), True)]
    if workspace is not None:
        sources.append((workspace / WORKSPACE_FILE, False))
    for path, trusted in sources:
        tree = _read_toml(path, messages)
        config = _took(merge(config, tree, source=str(path), trusted=trusted), messages)
    environ = os.environ if environ is None else environ
    config = _took(merge(config, _environment(environ), source="environment"), messages)
    return Loaded(config, tuple(messages))


def merge(config: Config, tree: Mapping[str, Any], *, source: str, trusted: bool = True) -> Loaded:
    """Return ``config`` with the sections of ``tree`` over it.

    An unknown section or key, a wrong value, and (unless ``trusted``) an option that a workspace
    may not set are left as they were, each with a message that names ``source``.
    """
    messages: list[str] = []
    sections = {f.name: f for f in fields(Config)}
    for name, values in tree.items():
        if name not in sections:
            messages.append(f"{source}: unknown section [{name}]; known: {', '.join(sections)}")
        elif not isinstance(values, Mapping):
            messages.append(f"{source}: [{name}] must be a table")
        else:
            section = getattr(config, name)
            section, wrong = _merge_section(section, values, f"{source}: {name}", trusted)
            config = replace(config, **{name: section})
            messages += wrong
    return Loaded(config, tuple(messages))


def _merge_section(
    section: Any, values: Mapping[str, Any], where: str, trusted: bool
) -> tuple[Any, list[str]]:
    known = {f.name: f for f in fields(section)}
    hints = get_type_hints(type(section))
    messages: list[str] = []
    for key, value in values.items():
        if key not in known:
            messages.append(f"{where}.{key} is unknown; known: {', '.join(known)}")
        elif not trusted and not known[key].metadata["workspace"]:
            messages.append(f"{where}.{key} cannot be set by a workspace; set it in {user_file()}")
        else:
            try:
                parsed = parse(known[key], hints[key], value)
                if not trusted and known[key].metadata["off_only"]:
                    parsed = parsed and getattr(section, key)
                section = replace(section, **{key: parsed})
            except ValueError as error:
                default = getattr(section, key)
                messages.append(f"{where}.{key}: {error}; {default!r} is used")
    return section, messages


def parse(spec: Field[Any], kind: Any, value: Any) -> Any:
    """Return ``value`` as the type ``kind`` of option ``spec``; strings are read as a flag would be.

    Raises:
        ValueError: with what was wanted and what was found.
    """
    if kind is bool:
        if isinstance(value, str) and value.lower() in _BOOLEANS:
            value = _BOOLEANS[value.lower()]
        if not isinstance(value, bool):
            raise ValueError(f"wants true or false, not {value!r}")
    elif kind in (int, float):
        if isinstance(value, bool):
            raise ValueError(f"wants a number, not {value!r}")
        try:
            value = kind(value) if isinstance(value, str) or kind is float else value
        except (TypeError, ValueError):
            raise ValueError(f"wants a number, not {value!r}") from None
        if not isinstance(value, kind):
            raise ValueError(f"wants a whole number, not {value!r}")
        low, high = spec.metadata["low"], spec.metadata["high"]
        if not math.isfinite(value):
            raise ValueError(f"must be a finite number, not {value}")
        if (
            (low is not None and value < low)
            or (high is not None and value > high)
            or value != value
        ):
            upper = "" if high is None else f" and at most {high}"
            raise ValueError(f"must be at least {low}{upper}, not {value}")
    elif kind is str:
        if not isinstance(value, str):
            raise ValueError(f"wants text, not {value!r}")
        choices = spec.metadata["choices"]
        if choices and value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
    else:  # tuple[str, ...]
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise ValueError(f"wants a list of texts, not {value!r}")
        value = tuple(value)
    if spec.metadata["check"] is not None:
        spec.metadata["check"](value)
    return value


_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False,
             "no": False, "off": False}  # fmt: skip


def _read_toml(path: Path, messages: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        messages.append(f"{path} was not read: {error}")
        return {}


def _environment(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the tree that ``CARET_SECTION_KEY`` variables spell; other ``CARET_`` names pass by."""
    tree: dict[str, dict[str, str]] = {}
    for section in fields(Config):
        for key in fields(section.default_factory):  # type: ignore[arg-type]
            name = f"CARET_{section.name}_{key.name}".upper()
            if name in environ:
                tree.setdefault(section.name, {})[key.name] = environ[name]
    return tree


def _took(loaded: Loaded, messages: list[str]) -> Config:
    messages += loaded.messages
    return loaded.config
