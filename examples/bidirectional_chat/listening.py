"""What a client hands over for the server to call. Rule: the cursor moves with what was taken, never ahead of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from examples.bidirectional_chat.generated.chat import MemberTarget
from examples.bidirectional_chat.rooms import Event
from examples.bidirectional_chat.schemas.chat import Came, News, Said, Went


class Listener(MemberTarget):
    """A member's ears.

    Parameters:
        on_event: told each event.
        on_lost: told how many events are missing where some are.

    Attributes:
        cursor: the number of the last event that was taken; None before the first.
    """

    def __init__(self, on_event: Callable[[Event], object], on_lost: Callable[[int], object]) -> None:
        self._on_event = on_event
        self._on_lost = on_lost
        self.cursor: int | None = None

    async def happened(self, room: str, news: News) -> None:
        if news.lost:
            self._on_lost(news.lost)
        for event in news.events:
            self._on_event(event)
            self.cursor = event.number

    def alive(self) -> None:
        """Answering is all that is asked for."""


class Heard(Listener):
    """Ears that keep what they have heard, and that somebody may wait for.

    Attributes:
        events: all, in order.
        lost: how many were missing.
        listens: cleared makes this member one that does not answer, until it is set again.
    """

    def __init__(self) -> None:
        super().__init__(self._take, self._miss)
        self.events: list[Event] = []
        self.lost = 0
        self.listens = asyncio.Event()
        self.listens.set()
        self._heard = asyncio.Condition()

    async def happened(self, room: str, news: News) -> None:
        await super().happened(room, news)
        async with self._heard:
            self._heard.notify_all()
        await self.listens.wait()

    async def until(self, number: int) -> list[Event]:
        """What was heard, once the event with a number was."""
        async with self._heard:
            await self._heard.wait_for(lambda: (self.cursor or 0) >= number)
        return self.events

    async def until_gone(self, name: str) -> Went:
        """That somebody went, once it was heard."""
        async with self._heard:
            await self._heard.wait_for(lambda: bool(self.gone(name)))
        return self.gone(name)[-1]

    async def until_here(self, name: str) -> None:
        """Wait until it was heard that somebody came."""
        async with self._heard:
            await self._heard.wait_for(
                lambda: any(isinstance(each, Came) and each.name == name for each in self.events)
            )

    def gone(self, name: str) -> list[Went]:
        """Each time that it was heard that somebody went."""
        return [each for each in self.events if isinstance(each, Went) and each.name == name]

    def texts(self) -> list[str]:
        """What was heard to be said."""
        return [each.text for each in self.events if isinstance(each, Said)]

    def _take(self, event: Event) -> None:
        self.events.append(event)

    def _miss(self, lost: int) -> None:
        self.lost += lost
