"""A real server on a real socket, with the fake engine behind it."""

from functools import partial

import pytest

from completion.wire.address import Address
from tests.certificates import make
from tests.completion.server.served import served


@pytest.fixture
def address(tmp_path):
    """Where ``serving`` listens."""
    return Address(path=str(tmp_path / "s.sock"))


@pytest.fixture
def serving(address):
    """A context manager: ``async with serving(engine, max_running=1) as (server, stub)``.

    Further options are those of ``[server]``; ``credentials`` are the stub's.
    """
    return partial(served, address)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The folder of :func:`tests.certificates.make`."""
    return make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def private(tmp_path):
    """Writes a text into a file that nobody else may read, and returns its path as text."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    return write
