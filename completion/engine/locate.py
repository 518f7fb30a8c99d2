"""Where a model is: the bundled one, a folder, or fetched from Hugging Face into its cache.

Only weights as safetensors, JSON and tokenizer files are fetched: no pickles, no code.
"""

from __future__ import annotations

import re
from pathlib import Path

from completion.errors import CaretError, UsageError

MODELS_FOLDER = Path(__file__).parent.parent / "models"
FETCHED = ("*.safetensors", "*.json", "*.txt", "*.model")
"""What is fetched of a Hugging Face repository."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_hub_id(model: str) -> bool:
    """Return whether ``model`` has the form owner/name."""
    return _HUB_ID.fullmatch(model) is not None


def locate(model: str) -> Path:
    """Return the folder of ``bundled``, of a path, or of a Hugging Face id (owner/name).

    Raises:
        UsageError: there is no such model.
        CaretError: it cannot be had here.
    """
    if model == "bundled":
        found = sorted(path.parent for path in MODELS_FOLDER.glob("*/config.json"))
        if not found:
            raise CaretError("this installation has no bundled model; give one with --model")
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise CaretError(f"{MODELS_FOLDER} holds several models ({names}); give one of them")
        return found[0]
    path = Path(model).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise UsageError(
                f"{path} has no config.json: it is no model folder in transformers' form"
            )
        return path
    if path.exists():
        raise UsageError(
            f"{path} is a file; give the folder that holds config.json and the weights"
        )
    if is_hub_id(model):
        return _fetch(model)
    raise UsageError(f"{model!r} is no folder, no Hugging Face id (owner/name) and not `bundled`")


def _fetch(model: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise CaretError(
            f"fetching {model} needs huggingface_hub; install caret's serve extra"
        ) from None
    try:
        return Path(snapshot_download(model, allow_patterns=list(FETCHED)))
    except Exception as error:  # its errors share no base: HTTP, missing, gated, offline, disk
        kind = type(error).__name__
        if kind in ("RepositoryNotFoundError", "RevisionNotFoundError"):
            why = "no such model, or it is private: check the id, or log in with `hf auth login`"
        elif kind == "GatedRepoError":
            why = "its licence has to be accepted on its page first, then `hf auth login`"
        else:
            why = (
                f"it is not in the cache and the hub cannot be reached ({kind}); "
                "fetch it elsewhere and give its folder"
            )
        raise CaretError(f"{model} was not fetched: {why}") from error
