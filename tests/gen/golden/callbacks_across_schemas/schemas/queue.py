"""Names callbacks of another schema, and of none."""

from __future__ import annotations

from typing import Protocol

from tests.gen.golden.callbacks_across_schemas.elsewhere import OnDone
from tests.gen.golden.callbacks_across_schemas.schemas.events import Event, OnEvent, Reply


class Queue(Protocol):
    async def watch(self, on_event: OnEvent, on_done: OnDone) -> OnEvent: ...
    async def first(self, reply: Reply[Event]) -> list[OnEvent]: ...
