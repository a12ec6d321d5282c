"""Chooses a repository by a URL. Rule: a driver is imported by whoever has asked for it, since no program needs all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from examples.backend.repositories.repository import CustomerRepository
from examples.backend.repositories.sqlite import SqliteCustomers

DRIVERS = {
    "postgresql": ("examples.backend.repositories.postgres", "PostgresCustomers", "psycopg[binary,pool]"),
    "mongodb": ("examples.backend.repositories.mongo", "MongoCustomers", "pymongo"),
    "mongodb+srv": ("examples.backend.repositories.mongo", "MongoCustomers", "pymongo[srv]"),
}


async def open_customers(url: str) -> CustomerRepository:
    """The repository of a URL: `sqlite:customers.db`, `postgresql://...`, `mongodb://...`.

    Raises:
        ValueError: there is no such kind.
        RuntimeError: its driver is not installed; says what to install.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return SqliteCustomers(Path(url.removeprefix("sqlite:")))
    if scheme not in DRIVERS:
        raise ValueError(f"no repository for {scheme or url!r}: use one of sqlite, {', '.join(DRIVERS)}")
    module, name, distribution = DRIVERS[scheme]
    try:
        opened: Callable[[str], Awaitable[CustomerRepository]] = getattr(import_module(module), name).open
    except ModuleNotFoundError as error:
        raise RuntimeError(f"{scheme} needs a driver: pip install '{distribution}'") from error
    return await opened(url)


@asynccontextmanager
async def customers_of(url: str) -> AsyncGenerator[CustomerRepository]:
    """The same, closed afterwards."""
    opened = await open_customers(url)
    try:
        yield opened
    finally:
        await opened.close()
