"""`python -m examples.conformance.client URL`: checks any server of the conformance interface, over WebSocket and HTTP
batch, or over one transport alone: what that can carry.

    python -m examples.conformance.client ws://127.0.0.1:8080/ [--only TEXT] [--points]
    python -m examples.conformance.client https://127.0.0.1:8080/ --transport webtransport [--insecure]
    python -m examples.conformance.client http://127.0.0.1:8080/ --transport http

Prints `ok N name` or `not ok N name: why` for each check, then `X passed, Y failed`; the exit code is 1 if any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence

from examples.conformance import checks
from examples.conformance.checks.base import CHECKS, Check, Ground
from examples.conformance.points import POINTS

PATIENCE = 15.0
"""Seconds that one check may take."""


async def why_not(check: Check, ground: Ground) -> str | None:
    """Run one check; return why it failed, or None if it passed."""
    try:
        async with asyncio.timeout(PATIENCE), ground.stack:
            await check.run(ground)
    except TimeoutError:
        return f"it took longer than {PATIENCE:g} seconds"
    except Exception as error:
        text = " ".join(str(error).split())
        return f"{type(error).__name__}: {text}"[:500]
    return None


async def run(url: str, chosen: Sequence[Check], *, webtransport: bool = False, insecure: bool = False) -> int:
    """Run the checks against the server at the URL; return how many failed."""
    ws, http = re.sub("^http", "ws", url), re.sub("^ws", "http", url)
    failed = 0
    for number, check in enumerate(chosen, 1):
        why = await why_not(check, Ground(ws, http, check.transport, webtransport, insecure))
        failed += why is not None
        print(f"ok {number} {check.name}" if why is None else f"not ok {number} {check.name}: {why}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed


def carried_by(transport: str) -> list[Check]:
    """The checks of what a server can be asked for that has one transport; all of them for "websocket", beside which
    there are batches.
    """
    if transport == "webtransport":
        return [check for check in CHECKS if check.transport == "WebSocket" and not check.frames]
    return [check for check in CHECKS if transport == "websocket" or check.transport == "HTTP batch"]


def show_points() -> None:
    """Print every point with the checks that are about it."""
    for number, point in POINTS.items():
        print(f"{number:2} {point}")
        for check in CHECKS:
            if number in check.points:
                print(f"     {check.name}")


def main() -> int:
    """Read the command line, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="examples.conformance.client", description=__doc__)
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8080/", help="ws:// or http:// URL of the server")
    parser.add_argument("--only", default="", metavar="TEXT", help="run the checks whose name has this text")
    parser.add_argument("--points", action="store_true", help="list what is checked, and run nothing")
    parser.add_argument(
        "--transport",
        choices=["websocket", "webtransport", "http"],
        default="websocket",
        help="of sessions; http makes batches alone",
    )
    parser.add_argument("--insecure", action="store_true", help="do not check the server's certificate")
    options = parser.parse_args()
    if options.points:
        show_points()
        return 0
    webtransport = options.transport == "webtransport"
    chosen = [check for check in carried_by(options.transport) if options.only in check.name]
    return 1 if asyncio.run(run(options.url, chosen, webtransport=webtransport, insecure=options.insecure)) else 0


__all__ = ["checks", "main"]

if __name__ == "__main__":
    sys.exit(main())
