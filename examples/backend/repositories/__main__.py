"""`python -m examples.backend.repositories [--database URL]`: the same calls against whatever database is given."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from capnweb_runtime import connect
from examples.backend.repositories.client import names, somebody
from examples.backend.repositories.factory import customers_of
from examples.backend.repositories.generated.customers import CustomersStub
from examples.backend.repositories.schemas.customers import AlreadyThere, NoSuchCustomer
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

CUSTOMERS = 180
SERVER = "examples.backend.repositories.server"
SPELLINGS = ("0000000000000000000000AB", 'ObjectId("0000000000000000000000ab")', "00000000-0000-0000-0000-0000000000ab")


async def repositories(report: Report, database: str | None = None) -> None:
    """Everything that the README claims."""
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:{Path(folder) / 'customers.db'}"
        async with served(url) as api:
            await kept(report, api)
            await mistakes(report, api)
        report.section("Another process")
        async with served(url) as api:
            report.check("customers that are still there", len(await names(api)), CUSTOMERS + 1)
        async with customers_of(url) as repository:
            report.check("the table is found", "customers" in await repository.collections())


@asynccontextmanager
async def served(url: str) -> AsyncGenerator[CustomersStub]:
    """The customers of a database, by a server as a process of its own."""
    async with (
        started(SERVER, "--port", "0", "--database", url) as server,
        connect(server.url, CustomersStub) as api,
    ):
        yield api


async def kept(report: Report, api: CustomersStub) -> None:
    """Customers are kept, found, and read as a stream."""
    report.section("One repository")
    for number in range(1, CUSTOMERS + 1):
        await api.add(somebody(number, "Basel" if number % 2 else "Bern"))
    await api.add(somebody(0))
    found = await names(api)
    report.check("customers, read as a stream", len(found), CUSTOMERS + 1)
    report.check(
        "each once, in the order of their ids",
        found == [f"customer {number}" for number in (0, *range(1, CUSTOMERS + 1))],
    )
    report.check("customers of Basel, of which 10 were asked for", len(await api.in_city("Basel", 10)), 10)
    same = {(await api.find(spelling)).name for spelling in SPELLINGS}
    report.check("an id in three spellings", sorted(same), ["customer 171"])


async def mistakes(report: Report, api: CustomersStub) -> None:
    """What bad input gets."""
    report.section("What bad input gets")
    again = await report.refused("a customer who is there", api.add(somebody(171)), AlreadyThere)
    report.check("the id that it names", again.id, f"{171:024x}")
    await report.refused("a customer who is not", api.find("f" * 24), NoSuchCustomer)
    wrong = await report.refused("an id that is none", api.find("171'; DROP TABLE customers"), ValueError)
    report.say(str(wrong))
    await report.refused("more than may be asked for", api.in_city("Bern", 101), TypeError)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.repositories", description=__doc__)
    parser.add_argument("--database", metavar="URL", help="one that is empty (default: a file of SQLite)")
    run("repositories", partial(repositories, database=parser.parse_args().database))
