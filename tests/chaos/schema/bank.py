"""A schema for clients that reconnect: methods that may be called again, and methods that may not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import Capability, SturdyRef, cancellable, idempotent, raises


class Account(Protocol):
    @idempotent
    def balance(self) -> int: ...

    def deposit(self, amount: int) -> int: ...

    @property
    def owner(self) -> str: ...

    @idempotent
    def sub(self, name: str) -> Account: ...


class Listing(BaseModel):
    title: str
    first: Capability[Account]
    rest: list[Capability[Account]]


class Bank(Protocol):
    @idempotent
    def get(self, key: str) -> int: ...

    def add(self, amount: int) -> int: ...

    @idempotent
    def echo(self, values: list[int]) -> list[int]: ...

    @idempotent
    def fail(self, message: str) -> int: ...

    @idempotent
    def account(self, name: str) -> Account: ...

    def open(self, name: str) -> Account: ...

    @idempotent
    def listing(self, names: list[str]) -> Listing: ...

    @idempotent
    def of(self, account: Account) -> str: ...

    @idempotent
    def named(self, name: str) -> str: ...

    @idempotent
    def told(self, tell: Callable[[int], None]) -> Account: ...

    @idempotent
    def total(self, numbers: AsyncIterator[int]) -> int: ...

    def read(self, count: int) -> AsyncIterator[int]: ...

    @idempotent
    def wait(self, gate: str) -> str: ...

    def hold(self, gate: str) -> str: ...

    def keep(self, name: str) -> SturdyRef[Account]: ...

    @idempotent
    @raises(PermissionError)
    def restore(self, ref: SturdyRef[Account]) -> Account: ...

    @cancellable
    @idempotent
    def seek(self, gate: str) -> str: ...
