"""How a server is reached: in clear text from this machine, with TLS from elsewhere, or not at all."""

from __future__ import annotations

from pathlib import Path

import grpc

from completion.config import ServerConfig
from completion.errors import UsageError
from completion.wire.address import Address
from completion.wire.certificates import authorities, chain


def refuse_exposed(address: Address, config: ServerConfig) -> None:
    """Refuse to serve other machines unless the channel is encrypted and callers show a token.

    Raises:
        UsageError: with what is missing.
    """
    if address.is_local or config.insecure:
        return
    lacking = [
        words
        for words, is_there in (
            ("TLS (--tls-cert, --tls-key)", config.tls_cert and config.tls_key),
            ("tokens (--token-file)", config.token_file),
        )
        if not is_there
    ]
    if lacking:
        raise UsageError(
            f"{address} can be reached from other machines and has no {' and no '.join(lacking)}; "
            "give both, listen on loopback, or accept the risk with --insecure"
        )


def server_credentials(config: ServerConfig) -> grpc.ServerCredentials | None:
    """Return what a port of other machines is opened with, or None: without TLS.

    TLS 1.2 at least, which is gRPC's own minimum. With ``tls_client_ca`` who has no certificate of
    it is not connected at all.

    Raises:
        UsageError: a file is missing, cannot be read, is open to others or does not fit.
    """
    if not config.tls_cert and not config.tls_key:
        if config.tls_client_ca:
            raise UsageError("server.tls_client_ca needs TLS: set server.tls_cert and tls_key")
        return None
    if not (config.tls_cert and config.tls_key):
        raise UsageError("server.tls_cert and server.tls_key go together; set both")
    cert, key = chain(Path(config.tls_cert), Path(config.tls_key), "server")
    if not config.tls_client_ca:
        return grpc.ssl_server_credentials([(key, cert)])
    clients = authorities(Path(config.tls_client_ca), "server.tls_client_ca")
    return grpc.ssl_server_credentials([(key, cert)], clients, require_client_auth=True)
