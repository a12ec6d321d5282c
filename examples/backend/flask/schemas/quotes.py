"""What shares cost."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import MaxLen
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises

Symbol = Annotated[str, MaxLen(8)]


class Quote(BaseModel):
    """A price in cents."""

    symbol: str
    cents: int


class UnknownSymbol(LookupError):
    """Nothing of this name is traded."""

    symbol: str

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol} is not traded here")
        self.symbol = symbol


class Quotes(Protocol):
    """Quotes, by symbol."""

    @idempotent
    @raises(UnknownSymbol)
    async def quote(self, symbol: Symbol) -> Quote: ...

    @idempotent
    async def symbols(self) -> list[str]: ...
