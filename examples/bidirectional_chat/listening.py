"""What a member hears. Rule: the cursor moves with what was taken, never ahead of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from capnweb_runtime.scale import TopicBatch, TopicGap
from examples.bidirectional_chat.schemas.chat import Came, Happened, Said, Went

Event = Said | Came | Went


class Listener:
    """A member's ears.

    Parameters:
        on_event: told each event.
        on_gap: told why some may be missing, where some may be.

    Attributes:
        cursor: behind what was taken last; None before anything was.
    """

    def __init__(self, on_event: Callable[[Event], object], on_gap: Callable[[str], object]) -> None:
        self._on_event = on_event
        self._on_gap = on_gap
        self.cursor: str | None = None

    async def deliver(self, batch: TopicBatch[Happened]) -> None:
        """What the server calls."""
        for item in batch.items:
            if isinstance(item, TopicGap):
                self._on_gap(item.reason)
            else:
                self._on_event(item.data.root)
        self.cursor = batch.cursor


class Heard(Listener):
    """Ears that keep what they have heard, and that somebody may wait for.

    Attributes:
        events: all, in order.
        gaps: why some may be missing.
        listens: cleared makes this member one that does not answer, until it is set again.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.gaps: list[str] = []
        super().__init__(self.events.append, self.gaps.append)
        self.listens = asyncio.Event()
        self.listens.set()
        self._heard = asyncio.Condition()

    async def deliver(self, batch: TopicBatch[Happened]) -> None:
        await super().deliver(batch)
        async with self._heard:
            self._heard.notify_all()
        await self.listens.wait()

    async def until(self, event: Event) -> None:
        """Wait until something was heard."""
        async with self._heard:
            await self._heard.wait_for(lambda: event in self.events)

    def texts(self) -> list[str]:
        """What was heard to be said."""
        return [each.text for each in self.events if isinstance(each, Said)]
