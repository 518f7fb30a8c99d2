"""What holds for all tests: which are asked for (``pytest --slow``), and that a run ends."""

from __future__ import annotations

import faulthandler
import sys

import pytest

LEAVING_S = 120
"""How long a run may take to end behind its last word."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow", action="store_true", help="also run the tests that are marked slow: some minutes"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes long: pytest --slow"))


def pytest_sessionfinish() -> None:
    """End the process even where something that a failed test has left does not let it.

    Collecting a server of grpc.aio joins its poller, which waits for calls that nobody ends any more.
    """
    faulthandler.dump_traceback_later(LEAVING_S, exit=True, file=sys.__stderr__)
