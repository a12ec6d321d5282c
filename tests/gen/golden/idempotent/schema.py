"""Methods that may be called again."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import InterfaceModel, Method, idempotent, raises


class Account(Protocol):
    @idempotent
    def balance(self) -> int:
        """What is there."""

    def withdraw(self, amount: int) -> int: ...


class Bank(Protocol):
    @raises(LookupError)
    @idempotent
    def account(self, token: str, *, currency: str = "EUR") -> Account:
        """The account of whoever has the token."""


class Get(BaseModel):
    key: str


class Store(InterfaceModel):
    get: Annotated[Method[Get, str], idempotent]
    pop: Method[Get, str]
