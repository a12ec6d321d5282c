"""What every measured server offers: a sum, a pipelined login, a list of models, capabilities, a stream."""

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


class Account(Protocol):
    """What a signed-in user may do."""

    def get_profile(self, id: int) -> Profile: ...


class Capability(Protocol):
    """Something to hold, to call and to give up."""

    def ping(self) -> int: ...


class Api(Protocol):
    """The measured interface."""

    def add(self, a: int, b: int) -> int: ...

    def authenticate(self, token: str) -> Account: ...

    def echo(self, items: list[Item]) -> list[Item]: ...

    def make(self) -> Capability: ...

    async def sink(self, stream: AsyncIterator[bytes]) -> int: ...
