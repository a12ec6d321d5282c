"""A client of the board: `python -m examples.webtransport_integrated.client localhost:4433/ FOLDER TEXT`."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

from examples.webtransport_integrated.best import Best
from examples.webtransport_integrated.generated.webtransport_integrated import BoardStub


def trusting(folder: Path) -> ssl.SSLContext:
    """Trusts the certificate in a folder, and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "authority.pem")
    return context


async def post_and_hear(best: Best[BoardStub], text: str, on_post: Callable[[str], None]) -> str:
    """Put a message up, and hear of it: by a callback where there can be any, and otherwise by asking.

    Returns:
        The way that was taken.
    """
    async with best.session() as (way, board):
        if way == "http":  # a batch: both calls are one round trip, and nobody can be called back
            count, texts = await asyncio.gather(board.post(text), board.posts())
            on_post(texts[count - 1])
        else:
            await board.watch(on_post)
            await board.post(text)
    return way


async def main(place: str, folder: Path, text: str) -> None:
    """Put a message up by the best way that works."""
    best = Best(place, BoardStub, lambda board: board.transport(), trust=trusting(folder))
    print("by", await post_and_hear(best, text, print))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
