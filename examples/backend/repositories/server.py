"""The customers on a port: `python -m examples.backend.repositories.server --database postgresql://...`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from annotated_types import Ge, Le

from capnweb_runtime import serve
from examples.backend.repositories.factory import customers_of
from examples.backend.repositories.generated.customers import CustomersTarget
from examples.backend.repositories.ids import canonical
from examples.backend.repositories.repository import CustomerRepository
from examples.backend.repositories.schemas.customers import Customer


class Customers(CustomersTarget):
    """What clients call: ids are made canonical here, and the repository does the rest."""

    def __init__(self, repository: CustomerRepository) -> None:
        self._repository = repository

    async def add(self, customer: Customer) -> None:
        await self._repository.add(customer.model_copy(update={"id": canonical(customer.id)}))

    async def find(self, id: str) -> Customer:
        return await self._repository.find(canonical(id))

    async def in_city(self, city: str, most: Annotated[int, Ge(1), Le(100)] = 100) -> list[Customer]:
        return await self._repository.in_city(city, most)

    async def every(self) -> AsyncIterator[Customer]:
        async for customer in self._repository.every():
            yield customer


async def main(port: int, database: str) -> None:
    """Serve until a signal."""
    async with (
        customers_of(database) as repository,
        serve(lambda peer: Customers(repository), "127.0.0.1", port) as server,
    ):
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.repositories.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--database", default="sqlite:customers.db", metavar="URL", help="(default: %(default)s)")
    told = parser.parse_args()
    asyncio.run(main(told.port, told.database))
