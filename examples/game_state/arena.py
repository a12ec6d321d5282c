"""Tells everybody about a world, tick by tick. Rule: to each client so many updates are on their way at most; who has
not answered them is told nothing more, and then begins again with a full state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from examples.game_state.generated.game import ScreenStub
from examples.game_state.schemas.game import Delta, Full
from examples.game_state.world import World

AHEAD = 8
"""Updates that may be on their way to a client: at 20 a second, a line with a round trip of 0.4 s misses none."""


class Viewer:
    """A client that is shown the world.

    Parameters:
        screen: where; owned.
        counts: where it is counted what was sent.

    Attributes:
        on_way: updates that have not been answered.
        most: how many there were at a time.
    """

    def __init__(self, screen: ScreenStub, counts: Counts) -> None:
        self._screen = screen
        self._counts = counts
        self._stale = True
        self._sending: set[asyncio.Task[None]] = set()
        self.most = 0

    @property
    def on_way(self) -> int:
        return len(self._sending)

    def tell(self, world: World, delta: Delta | None) -> None:
        """Show what a tick has changed; all of it if the client is new, or was skipped.

        Parameters:
            world: after the tick.
            delta: what has changed; None if nothing, and the client is new.
        """
        if self.on_way >= AHEAD:
            self._stale = True
            self._counts.skipped += 1
            return
        if self._stale or delta is None:
            self._counts.fulls += 1
            self._send(world.full())
        else:
            self._counts.deltas += 1
            self._send(delta)
        self._stale = False

    def _send(self, update: Full | Delta) -> None:
        sending = asyncio.create_task(self._taken(self._screen.show(update)))
        self._sending.add(sending)
        self.most = max(self.most, self.on_way)
        sending.add_done_callback(self._sending.discard)

    async def _taken(self, shown: Awaitable[None]) -> None:
        try:
            await shown
        except Exception:  # it could not apply it; where the session is lost, on_broken tells
            self._stale = True

    async def settled(self) -> None:
        """Wait until everything that is on its way has been answered."""
        if self._sending:
            await asyncio.wait(self._sending)

    def dispose(self) -> None:
        """Show nothing more."""
        for sending in self._sending:
            sending.cancel()
        self._screen.dispose()


class Counts:
    """What was sent, and what was not.

    Attributes:
        deltas: that were sent.
        fulls: full states that were sent.
        skipped: deltas that were not sent.
    """

    def __init__(self) -> None:
        self.deltas = self.fulls = self.skipped = 0


class Arena:
    """A world, and those who see it.

    Parameters:
        world: the world.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.viewers: list[Viewer] = []
        self.counts = Counts()

    def open(self, screen: ScreenStub) -> Viewer:
        """Show the world to somebody from now on, beginning with all of it."""
        viewer = Viewer(screen, self.counts)
        self.viewers.append(viewer)
        viewer.tell(self.world, None)
        return viewer

    def close(self, viewer: Viewer) -> None:
        """Show it no more."""
        self.viewers.remove(viewer)
        viewer.dispose()

    def tick(self) -> int:
        """End a tick, and tell everybody. Returns its number."""
        delta = self.world.advance()
        for viewer in self.viewers:
            viewer.tell(self.world, delta)
        return delta.tick

    async def run(self, rate: float) -> None:
        """Tick for ever.

        Parameters:
            rate: ticks a second.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(1, 2**63):
            await asyncio.sleep(begun + number / rate - loop.time())
            self.tick()
