"""A worker with members: `python -m tests.runtime.scale.presence_worker URL APPLICATION TTL ROOM MEMBER...`. It says
that they are there, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime.scale import Presence, open_backplane


async def main(url: str, application: str, ttl: float, room: str, members: list[str]) -> None:
    async with open_backplane(url, name=application) as backplane, Presence(backplane, ttl=ttl, every=ttl / 4) as here:
        for member in members:
            await here.join(room, member)
        print("there", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    _, given_url, given_name, given_ttl, given_room, *given_members = sys.argv
    asyncio.run(main(given_url, given_name, float(given_ttl), given_room, given_members))
