"""Rooms that live on one worker, and what a client is served that asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import Writable, cancellable, idempotent, raises


class Full(Exception):
    """Nobody more fits in."""

    seats: int

    def __init__(self, seats: int) -> None:
        super().__init__(f"all {seats} seats are taken")
        self.seats = seats


class Line(BaseModel):
    number: int
    text: str


class Seat(Protocol):
    """A place in a room, for as long as it is held."""

    def say(self, text: str) -> Line: ...


class Room(Protocol):
    @property
    def fence(self) -> int: ...

    @idempotent
    def worker(self) -> str: ...

    def add(self, text: str) -> int: ...

    def add_when(self, go: Callable[[], bool], text: str) -> int: ...

    def lines(self) -> list[Line]: ...

    @raises(Full)
    def sit(self, name: str) -> Seat: ...

    def watch(self, on_line: Callable[[str], int]) -> int: ...

    def history(self) -> AsyncIterator[Line]: ...

    def record(self) -> Writable[str]: ...

    def time_left(self) -> float | None: ...

    def wait(self, token: str) -> str: ...

    @cancellable
    def nap(self) -> None: ...


class Front(Protocol):
    """What clients are served."""

    @idempotent
    def room(self, name: str) -> Room: ...

    def worker(self) -> str: ...
