"""A worker that limits rates: `python -m tests.runtime.scale.limited_worker --backplane redis://... --rate 10/hour`."""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import serve
from capnweb_runtime.scale.rate_limits import RateLimit, RateLimits
from tests.gen.test_raises import Directory


async def main(port: int, backplane: str, name: str, rate: str) -> None:
    async with (
        RateLimits([RateLimit(rate)], backplane, name=name) as limits,
        serve(lambda peer: Directory(), "127.0.0.1", port, interceptors=[limits]) as server,
    ):
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--backplane", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--rate", required=True)
    asyncio.run(main(**vars(parser.parse_args())))
