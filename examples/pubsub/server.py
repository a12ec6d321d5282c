"""Publish and subscribe: `python -m examples.pubsub.server --port 8080`, with `--backplane redis://127.0.0.1/0` as many
of them as there are ports.
"""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import serve
from capnweb_runtime.scale import Bounds, open_backplane
from examples.pubsub.hub import Hub


async def main(port: int, url: str, bounds: Bounds) -> None:
    """Serve until a signal."""

    def tables() -> tuple[int, int]:
        totals = server.totals()
        return totals.imports, totals.exports

    async with (
        open_backplane(url, bounds=bounds, name="pubsub") as backplane,
        serve(lambda peer: Hub(backplane, tables), "127.0.0.1", port) as server,
    ):
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.pubsub.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--backplane", default="memory:", help="where the topics are (default: %(default)s)")
    parser.add_argument("--keep", type=int, default=1000, help="events kept of a topic (default: %(default)s)")
    options = parser.parse_args()
    kept = Bounds(history_events=options.keep, replay_events=options.keep, queue_events=options.keep)
    asyncio.run(main(options.port, options.backplane, kept))
