"""Addresses as people write them."""

import pytest

from completion.errors import UsageError
from completion.wire.address import parse_address


@pytest.mark.parametrize(
    ("text", "target", "local"),
    [
        ("127.0.0.1:5", "127.0.0.1:5", True),
        ("127.9.9.9:5", "127.9.9.9:5", True),
        ("localhost:5", "localhost:5", True),
        ("[::1]:5", "[::1]:5", True),
        ("::1:5", "[::1]:5", True),
        ("unix:/a/b", "unix:/a/b", True),
        ("unix:///a/b", "unix:/a/b", True),
        ("0.0.0.0:5", "0.0.0.0:5", False),
        ("[::]:5", "[::]:5", False),
        ("example.org:5", "example.org:5", False),
        ("10.0.0.1:5", "10.0.0.1:5", False),
        ("localhost.example.org:5", "localhost.example.org:5", False),
    ],
)
def test_addresses_are_read_and_known_to_be_local_or_not(text, target, local):
    address = parse_address(text)
    assert (address.target, address.is_local) == (target, local)


@pytest.mark.parametrize(
    "text", ["", "host", ":5", "host:", "host:x", "host:70000", "unix:", "host:-1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageError):
        parse_address(text)


def test_a_socket_path_that_the_kernel_cannot_hold_is_refused():
    with pytest.raises(UsageError, match="107 bytes"):
        parse_address("unix:/" + "a" * 107)
