"""Interfaces that inherit: one base, two, a diamond, and a narrower result."""

from typing import Protocol

from pydantic import BaseModel


class Info(BaseModel):
    size: int


class Closeable(Protocol):
    """Can be closed."""

    async def close(self) -> None:
        """Close it. Closing twice is fine."""
        ...


class Named(Protocol):
    @property
    def name(self) -> str: ...

    async def source(self) -> Closeable: ...


class Loan(Closeable, Protocol):
    async def renew(self, days: int = 14) -> int: ...


class Archive(Named, Closeable, Protocol):
    """A named thing that can be closed."""

    async def source(self) -> Loan: ...
    async def info(self) -> Info: ...


class Vault(Loan, Archive, Protocol): ...
