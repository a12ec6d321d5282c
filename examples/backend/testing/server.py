"""The service on a port, with a ledger in memory: `python -m examples.backend.testing.server --payments URL`."""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import Reconnect, connect, serve
from examples.backend.testing.doubles import DictLedger
from examples.backend.testing.generated.billing import PaymentsStub
from examples.backend.testing.service import Billing, health


async def main(port: int, payments_url: str) -> None:
    """Serve until a signal."""
    ledger = DictLedger()
    async with connect(payments_url, PaymentsStub, reconnect=Reconnect()) as payments:
        billing = Billing(ledger, payments, "ada")
        async with serve(lambda peer: billing, "127.0.0.1", port, health=health(ledger, payments)) as server:
            print("serving", server.url, flush=True)
            await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.testing.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--payments", required=True, metavar="URL", help="who collects the money")
    told = parser.parse_args()
    asyncio.run(main(told.port, told.payments))
