"""Inherits methods that take callbacks, and overrides one."""

from __future__ import annotations

from typing import Protocol

from tests.gen.golden.callbacks_across_schemas.elsewhere import OnDone
from tests.gen.golden.callbacks_across_schemas.schemas.events import Event, OnEvent, Reply
from tests.gen.golden.callbacks_across_schemas.schemas.queue import Queue


class Audit(Queue, Protocol):
    async def watch(self, on_event: OnEvent, on_done: OnDone) -> OnEvent:
        """Also of what went wrong."""
        ...

    async def last(self, reply: Reply[Event]) -> Reply[Event]: ...
