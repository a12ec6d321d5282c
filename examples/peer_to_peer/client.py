"""A peer that knows two others, and introduces them: `python -m examples.peer_to_peer.client URL URL`."""

from __future__ import annotations

import asyncio
import sys

from examples.peer_to_peer.generated.peer_to_peer import PeerStub
from examples.peer_to_peer.peer import Loan, Node, joined


async def introduce(one: PeerStub, other: PeerStub, *, name: str) -> Loan:
    """Give one peer the notebook of another, whose address it does not know.

    Parameters:
        one: who gets it.
        other: whose notebook it is.
        name: by which name it is to be known.

    Returns:
        What takes it back.
    """
    loan = Loan(await other.notebook())
    await one.meet(name, loan)
    return loan


async def main(first: str, second: str) -> None:
    """Introduce the first to the second, let it write, and take that back."""
    node = Node("ada")
    async with joined(node, first) as one, joined(node, second) as other:
        loan = await introduce(one, other, name=await other.name())
        print(await one.write_to(await other.name(), f"{await one.name()} was here"))
        loan.take_back()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
