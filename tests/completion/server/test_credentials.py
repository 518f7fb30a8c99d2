"""Where a server may listen, and what its files have to be."""

import subprocess

import pytest

from completion.config import ServerConfig
from completion.errors import UsageError
from completion.server.credentials import refuse_exposed, server_credentials
from completion.wire.address import parse_address

LOCAL = ["127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/tmp/s"]
OPEN = ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "code.example:1", "127.evil.example:1", "*:1"]


@pytest.mark.parametrize("address", LOCAL)
def test_this_machine_is_served_without_anything(address):
    refuse_exposed(parse_address(address), ServerConfig())


@pytest.mark.parametrize("address", OPEN)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no TLS (--tls-cert, --tls-key) and no tokens (--token-file)"),
        ({"token_file": "t"}, "has no TLS (--tls-cert, --tls-key);"),
        ({"token_file": "t", "tls_cert": "c"}, "has no TLS (--tls-cert, --tls-key);"),
        ({"tls_cert": "c", "tls_key": "k"}, "has no tokens (--token-file);"),
        ({"tls_cert": "c", "tls_key": "k", "tls_client_ca": "a"}, "has no tokens (--token-file);"),
    ],
)
def test_other_machines_are_served_with_both_only(address, given, said):
    with pytest.raises(UsageError) as caught:
        refuse_exposed(parse_address(address), ServerConfig(**given))
    assert said in caught.value.message
    assert "--insecure" in caught.value.message


@pytest.mark.parametrize("address", OPEN)
def test_other_machines_are_served_with_both_or_at_one_s_own_risk(address):
    both = ServerConfig(tls_cert="c", tls_key="k", token_file="t")
    for config in (both, ServerConfig(insecure=True)):
        refuse_exposed(parse_address(address), config)


def config(folder, **changes):
    files = {"tls_cert": "server.pem", "tls_key": "server.key", **changes}
    return ServerConfig(**{key: name and str(folder / name) for key, name in files.items()})


def test_without_files_there_is_no_tls():
    assert server_credentials(ServerConfig()) is None


def test_with_files_that_fit_there_is(certificates):
    assert server_credentials(config(certificates)) is not None
    assert server_credentials(config(certificates, tls_client_ca="ca.pem")) is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tls_key": ""}, "go together"),
        ({"tls_cert": ""}, "go together"),
        ({"tls_cert": "", "tls_key": "", "tls_client_ca": "ca.pem"}, "needs TLS"),
        ({"tls_cert": "none.pem"}, "cannot be read: No such file"),
        ({"tls_key": "alice.key"}, "no certificate and its key"),
        ({"tls_cert": "server.key"}, "no certificate and its key"),
        ({"tls_client_ca": "server.key"}, "holds no certificate"),
        ({"tls_client_ca": "none.pem"}, "cannot be read"),
        ({"tls_cert": "."}, "cannot be read|is no file"),
    ],
)
def test_files_that_do_not_fit_are_said_in_one_line(certificates, changes, said):
    with pytest.raises(UsageError, match=said) as caught:
        server_credentials(config(certificates, **changes))
    assert "\n" not in caught.value.message


def test_a_key_that_others_can_read_is_refused(certificates, tmp_path):
    key = tmp_path / "open.key"
    key.write_bytes((certificates / "server.key").read_bytes())
    key.chmod(0o644)
    with pytest.raises(UsageError, match=r"server\.tls_key .* chmod 600"):
        server_credentials(config(certificates, tls_key=key))


def test_a_key_with_a_password_is_refused_without_asking_for_it(certificates, tmp_path):
    key = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", certificates / "server.key",
         "-out", key], check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    with pytest.raises(UsageError, match="without a password"):
        server_credentials(config(certificates, tls_key=key))
