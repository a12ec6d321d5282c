"""A client: `python -m examples.distributed_cache.client KEY ws://... ws://...`, with the URLs of all nodes.

It reads from the first node that is there. With `--hold` it holds a snapshot until it is stopped.
"""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import Reconnect, connect
from examples.distributed_cache.generated.distributed_cache import NodeStub


async def main(urls: list[str], key: str, hold: bool) -> None:
    """Read a value."""
    async with connect(urls, NodeStub, reconnect=Reconnect()) as node:
        if not hold:
            print(await node.get(key), flush=True)
            return
        with await node.snapshot(key):
            print("serving", urls[0], flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.distributed_cache.client", description=__doc__)
    parser.add_argument("key", help="what to read")
    parser.add_argument("urls", nargs="+", help="the nodes")
    parser.add_argument("--hold", action="store_true", help="hold a snapshot of the value")
    options = parser.parse_args()
    asyncio.run(main(options.urls, options.key, options.hold))
