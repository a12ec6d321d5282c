"""Callbacks, one of which takes what names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from tests.gen.golden.callbacks_across_schemas.schemas.queue import Queue

V = TypeVar("V", contravariant=True)


class Event(BaseModel):
    name: str


class OnEvent(Protocol):
    def __call__(self, event: Event, *, queue: Queue | None = None) -> None: ...


class Reply(Protocol[V]):
    def __call__(self, value: V, *, is_last: bool = True) -> None: ...
