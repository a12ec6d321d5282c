"""What every measured server offers: a sum, a pipelined login, a list of models, capabilities, a stream; and what only
the growth measurements call: many capabilities at once, echoes of any size, a chain of steps, memory in use.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from pydantic import BaseModel


class Item(BaseModel):
    id: int
    name: str
    email: str
    tags: list[str]
    score: float


class Profile(BaseModel):
    id: int
    name: str
    email: str


class Usage(BaseModel):
    rss: float
    heap: float


class Account(Protocol):
    """What a signed-in user may do."""

    def get_profile(self, id: int) -> Profile: ...


class Capability(Protocol):
    """Something to hold, to call and to give up."""

    def ping(self) -> int: ...


class Step(Protocol):
    """One of a chain of objects."""

    def next(self) -> "Step": ...

    def depth(self) -> int: ...


class Api(Protocol):
    """The measured interface."""

    def add(self, a: int, b: int) -> int: ...

    def authenticate(self, token: str) -> Account: ...

    def echo(self, items: list[Item]) -> list[Item]: ...

    def make(self) -> Capability: ...

    async def sink(self, stream: AsyncIterator[bytes]) -> int: ...

    def make_many(self, count: int) -> list[Capability]: ...

    def echo_bytes(self, data: bytes) -> bytes: ...

    def echo_text(self, data: str) -> str: ...

    def start(self) -> Step: ...

    def usage(self) -> Usage:
        """Collects garbage and says what is in use, in MB: resident, and on the heap where that is known."""
        ...
