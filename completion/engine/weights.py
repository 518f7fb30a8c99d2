"""The weights of a model folder: safetensors, whole, and their checksum.

Pickled weights can run any code when they are loaded, so they are refused, not converted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from completion.errors import CaretError

HASHED_BYTES = 1 << 30
"""Up to this many bytes of weights all of them are hashed; beyond it only headers and sizes are."""
MAX_HEADER_BYTES = 100 << 20
"""The safetensors format's own limit."""
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of ``folder``, by name, each looked at and whole.

    Raises:
        CaretError: there are none, a shard of the index is missing, or a file is cut short.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            table = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            names = sorted({str(name) for name in table.values()})
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise CaretError(f"{index} cannot be read ({error}); fetch the model again") from None
        strange = [name for name in names if Path(name).name != name or name in (".", "..")]
        if strange:
            raise CaretError(
                f"{index} names {strange[0]!r}, which is no file of its folder; fetch the model again"
            )
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise CaretError(
                f"{folder} lacks {len(missing)} of {len(names)} weight files, first {missing[0]}; "
                "fetch the model again"
            )
        files = [folder / name for name in names]
    else:
        files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise CaretError(_why_none(folder))
    for file in files:
        header(file)
    return files


def _why_none(folder: Path) -> str:
    pickled = sorted(path.name for pattern in _PICKLED for path in folder.glob(pattern))
    if pickled:
        return (
            f"{folder} has only pickled weights ({pickled[0]}), which can run code and are never "
            "loaded; where you trust them, convert them: AutoModelForCausalLM."
            "from_pretrained(folder).save_pretrained(new_folder)"
        )
    return f"{folder} has no weights: model.safetensors is missing; fetch or export the model again"


def header(file: Path) -> bytes:
    """Return the JSON header of a safetensors file.

    Raises:
        CaretError: it is none, or it is shorter than its header says.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > min(size - 8, MAX_HEADER_BYTES):
                raise ValueError("its header is cut short")
            raw = stream.read(length)
        ends = [t["data_offsets"][1] for n, t in json.loads(raw).items() if n != "__metadata__"]
        if 8 + length + max(ends, default=0) > size:
            raise ValueError("its data is cut short")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CaretError(f"{file} is no whole safetensors file ({error}); fetch it again") from None
    return raw


def checksum(files: Sequence[Path]) -> str:
    """Return ``sha256:…`` of all bytes, or ``sha256-headers:…`` past :data:`HASHED_BYTES`."""
    digest = sha256()
    whole = sum(file.stat().st_size for file in files) <= HASHED_BYTES
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        if not whole:
            digest.update(header(file))
            continue
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return f"{'sha256' if whole else 'sha256-headers'}:{digest.hexdigest()}"
