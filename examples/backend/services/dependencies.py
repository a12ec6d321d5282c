"""What services ask of each other, as Protocols.

Rule: a service imports these and no other service, so that there are no circles, and tests pass whatever fits.
"""

from __future__ import annotations

from typing import Protocol


class Quotes(Protocol):
    """Gives prices."""

    async def cents(self, symbol: str) -> int:
        """What a share costs. Raises LookupError if there is none."""
        ...


class News(Protocol):
    """Gives headlines."""

    async def headlines(self, symbol: str) -> list[str]:
        """What is written about a company."""
        ...


class Exchange(Protocol):
    """The exchange, which is slow and belongs to somebody else."""

    async def trade_price(self, symbol: str) -> int:
        """The price of the last trade."""
        ...

    async def ping(self) -> bool:
        """Whether it answers."""
        ...


class Agency(Protocol):
    """An agency for news, which is often down."""

    async def articles(self, symbol: str) -> list[str]:
        """What it has written about a company."""
        ...

    async def ping(self) -> bool:
        """Whether it answers."""
        ...
