"""Whether a service serves, as an exit status: ``python -m completion.wire.probe ADDRESS``.

0: it serves; 1: it does not, or not yet; 2: the call was wrong. For containers and service managers. A
service with TLS is asked with ``--tls-ca FILE`` and, where it wants one, a certificate; never with a
token, for which its health needs none.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from completion.errors import CaretError
from completion.wire.address import Address, parse_address
from completion.wire.channel import open_channel, wait_until_serving
from completion.wire.credentials import NOBODY, Credentials

TIMEOUT_S = 2.0


async def probe(address: Address, credentials: Credentials = NOBODY) -> str:
    """Return why the service at ``address`` does not serve; nothing: it does.

    Raises:
        UsageError: a file of ``credentials`` cannot be used.
    """
    channel = open_channel(address, credentials)
    try:
        await wait_until_serving(channel, timeout_s=TIMEOUT_S, interval_s=TIMEOUT_S)
    except CaretError as error:
        return error.message
    finally:
        await channel.close()
    return ""


def main() -> int:
    """Ask, say why not, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m completion.wire.probe", allow_abbrev=False)
    parser.add_argument("address", metavar="HOST:PORT|unix:PATH")
    parser.add_argument("--tls-ca", default="", metavar="FILE", help="as client.tls_ca")
    parser.add_argument("--tls-cert", default="", metavar="FILE", help="as client.tls_cert")
    parser.add_argument("--tls-key", default="", metavar="FILE", help="as client.tls_key")
    args = parser.parse_args()
    credentials = Credentials(
        tls_ca=args.tls_ca, tls_cert=args.tls_cert, tls_key=args.tls_key
    )  # fmt: skip
    try:
        why = asyncio.run(probe(parse_address(args.address), credentials))
    except CaretError as error:
        why = error.message
    if why:
        sys.stderr.write(f"{why}\n")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
