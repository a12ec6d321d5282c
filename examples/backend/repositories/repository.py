"""What the rest of the program knows of the database. Rule: ids are canonical here; see `ids`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from examples.backend.repositories.schemas.customers import Customer


class CustomerRepository(Protocol):
    """Keeps customers."""

    async def add(self, customer: Customer) -> None:
        """Keep one. Raises AlreadyThere."""
        ...

    async def find(self, id: str) -> Customer:
        """One by its id. Raises NoSuchCustomer."""
        ...

    async def in_city(self, city: str, most: int) -> list[Customer]:
        """Those of a city, in the order of their ids."""
        ...

    def every(self) -> AsyncIterator[Customer]:
        """All of them, in the order of their ids, without having all of them in memory."""
        ...

    async def collections(self) -> list[str]:
        """Tables or collections that may be read, as far as this user is told."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...
