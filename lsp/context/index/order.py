"""What the index's process is told when it begins."""

from __future__ import annotations

from dataclasses import dataclass

AGAIN = 75
"""Exit status of a process that has grown too large and wants to go on in a new one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What the process is for."""

    root: str
    store: str
    """Folder of the store; empty: in memory."""
    key: str
    """In hexadecimal digits."""
    excluded_globs: list[str]
    max_file_bytes: int
    index_files: int
    index_memory_mb: int
    index_cpu_share: float
