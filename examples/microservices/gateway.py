"""The gateway under uvicorn: `python -m examples.microservices.gateway --catalogue URL --stock URL`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn

from capnweb_runtime import Pool, Reconnect
from examples.microservices.app import application
from examples.microservices.generated.catalogue import CatalogueStub
from examples.microservices.generated.stock import StockStub
from examples.microservices.storefront import Services


@asynccontextmanager
async def services(catalogue: str, stock: str, wait: float) -> AsyncGenerator[Services]:
    """The services, by pools of sessions, which are opened when they are first needed.

    Parameters:
        catalogue: URL of that service.
        stock: URL of the other.
        wait: seconds that a call waits for a connection before its request is answered 503.
    """
    again = Reconnect(first=0.05, longest=0.5, wait_time=wait)
    async with (
        Pool(catalogue, CatalogueStub, size=2, reconnect=again) as catalogues,
        Pool(stock, StockStub, size=2, reconnect=again) as stocks,
    ):
        yield Services(catalogues.stub, stocks.stub)


def main(told: argparse.Namespace) -> None:
    """Serve until a signal."""
    logging.basicConfig(filename=told.log)
    app = application(lambda: services(told.catalogue, told.stock, told.wait), patience=told.patience)
    listening = socket.create_server(("127.0.0.1", told.port))
    print(f"serving http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    asyncio.run(server.serve(sockets=[listening]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.microservices.gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--catalogue", required=True, help="URL of the service catalogue")
    parser.add_argument("--stock", required=True, help="URL of the service stock")
    parser.add_argument("--wait", type=float, default=0.5, help="seconds that a call waits for a service that is down")
    parser.add_argument("--patience", type=float, default=2.0, help="seconds that a request may take")
    parser.add_argument("--log", help="file of the log (default: standard error)")
    main(parser.parse_args())
