"""Companies, with what their shares cost and what is written about them."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import idempotent


class Company(BaseModel):
    """A company. `news` is empty where there is none, and None while nobody knows."""

    symbol: str
    cents: int
    news: list[str] | None


class Market(Protocol):
    """What the services give together."""

    @idempotent
    async def company(self, symbol: str) -> Company: ...

    @idempotent
    async def symbols(self) -> list[str]: ...

    async def price_changed(self, symbol: str) -> None:
        """Forget what was cached of a share."""
        ...
