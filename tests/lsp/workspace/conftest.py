"""A server that keeps workspaces, and waits that are short enough for a test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lsp.workspace import folder, passes, pending, sync
from tests.lsp.workspace.keeper import Keeper


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    place = Path(tempfile.mkdtemp(prefix="caret-test-"))
    one = Keeper(f"unix:{place / 's.sock'}")
    await one.start()
    yield one
    await one.stop()
    shutil.rmtree(place)
    assert one.faults == []


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """The pauses of a person's work are not what is tested."""
    monkeypatch.setattr(pending, "PAUSE_S", 0.02)
    monkeypatch.setattr(pending, "LATEST_S", 0.1)
    monkeypatch.setattr(passes, "SOON_S", 0.02)
    monkeypatch.setattr(passes, "LATE_S", 0.1)
    monkeypatch.setattr(passes, "LOOK_S", 0.1)
    monkeypatch.setattr(folder, "AGAIN_S", 0.02)
    monkeypatch.setattr(folder, "CPU_SHARE", 1.0)
    monkeypatch.setattr(sync, "LAST_BACKOFF_S", 0.5)
