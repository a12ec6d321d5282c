"""`python -m examples.conformance.server [--host H] [--port N]`: serves the conformance interface over WebSocket and
HTTP batch on one port, every path.

Prints `listening PORT` once it accepts connections, and serves until it is interrupted or terminated. What targets
raise is logged on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import logging

from capnweb_runtime import Peer, serve
from examples.conformance.generated.conformance import PeerApiStub
from examples.conformance.target import Main


def main_of(peer: Peer) -> Main:
    """The main object of a new session."""
    return Main(peer.main(PeerApiStub))


async def run(host: str, port: int) -> None:
    """Serve until the process is told to stop."""
    async with serve(main_of, host, port, path=None, origins=["*"], errors="all") as server:
        print(f"listening {server.port}", flush=True)
        await server.run_until_signal()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="examples.conformance.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 means any")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    asyncio.run(run(options.host, options.port))


if __name__ == "__main__":
    main()
