"""What no log shows: parameters, results, properties, and fields, wherever they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NotRequired, Protocol, TypedDict

from pydantic import BaseModel

from capnweb_runtime.schema import InterfaceModel, Method, Property, Secret


class Login(BaseModel):
    user: str
    password: Secret[str]


class Request(BaseModel):
    """Holds what is secret, and something of its own."""

    login: Login
    pin: Secret[int] | None = None


@dataclass
class Key:
    name: str
    parts: list[Secret[bytes]]


class Hints(TypedDict):
    question: str
    answer: NotRequired[Secret[str]]


class Ask(Protocol):
    """Asks a person for something."""

    def __call__(self, what: str, before: Secret[str] | None = None) -> Secret[str]: ...


class Vault(Protocol):
    """Keeps secrets."""

    @property
    def master(self) -> Secret[str]: ...

    async def open(self, token: Secret[str], reason: str = "") -> bool: ...

    async def sign_in(self, *tokens: Secret[str], request: Secret[Request] | None = None) -> Request: ...

    async def requests(self) -> list[Request]: ...

    async def key(self, hints: Hints) -> Key: ...

    async def backup(self) -> AsyncIterator[Secret[bytes]]: ...

    async def ask(self, ask: Ask) -> None: ...


class Forget(BaseModel):
    token: Secret[str]
    after: int = 0


class Trash(InterfaceModel):
    """The same, declared as a model."""

    last: Property[Secret[str]]
    forget: Method[Forget, Secret[str]]
    size: Method[None, int]
