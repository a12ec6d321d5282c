"""The service users: who customers are, and how they pay."""

from __future__ import annotations

from typing import Protocol

from capnweb_runtime.schema import cancellable, idempotent, raises


class WrongToken(Exception):
    """Nobody signs in with this token."""


class Wallet(Protocol):
    """The money of one customer. Whoever holds it may spend it, and needs no other permission."""

    @idempotent
    async def owner(self) -> str: ...

    @idempotent
    @cancellable
    async def pay(self, key: str, cents: int) -> str:
        """Pay, once for each key, and give the receipt."""
        ...


class Users(Protocol):
    """What the gateway may ask."""

    @idempotent
    @raises(WrongToken)
    async def wallet(self, token: str) -> Wallet: ...
