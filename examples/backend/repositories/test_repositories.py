"""The same contract holds for every database that is there, and what is pure holds without one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.errors import OperationFailure

from capnweb_runtime.testing import PairFixture
from examples.backend.repositories.client import names, somebody
from examples.backend.repositories.factory import customers_of, open_customers
from examples.backend.repositories.generated.customers import CustomersStub
from examples.backend.repositories.ids import as_uuid, canonical
from examples.backend.repositories.mongo import KNOWN, UNAUTHORIZED, customer, discovered, document
from examples.backend.repositories.repository import CustomerRepository
from examples.backend.repositories.schemas.customers import AlreadyThere, Customer, NoSuchCustomer
from examples.backend.repositories.server import Customers
from examples.form.testing import as_documented
from tests.needs import needs_postgres

ID = "0123456789abcdef01234567"
MONGODB = os.environ.get("MONGODB_URL")


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("backend/repositories")
    assert ran.number("customers, read as a stream") == 181
    assert ran.number("customers that are still there") == 181


@needs_postgres
def test_on_postgresql_it_prints_the_same(postgres: str) -> None:
    as_documented("backend/repositories", "--database", postgres)


async def keeps_its_contract(repository: CustomerRepository) -> None:
    for number in (3, 0, 2):
        await repository.add(somebody(number))
    with pytest.raises(AlreadyThere):
        await repository.add(somebody(2, "Basel"))
    assert await repository.find(somebody(3).id) == somebody(3)
    with pytest.raises(NoSuchCustomer):
        await repository.find("f" * 24)
    assert [found.name for found in await repository.in_city("Bern", 2)] == ["customer 0", "customer 2"]
    assert [found.name async for found in repository.every()] == ["customer 0", "customer 2", "customer 3"]
    assert "customers" in await repository.collections()


async def test_sqlite_keeps_the_contract(tmp_path: Path) -> None:
    async with customers_of(f"sqlite:{tmp_path / 'customers.db'}") as repository:
        await keeps_its_contract(repository)


if MONGODB is not None:  # there is no server of it to start here

    async def test_mongodb_keeps_the_contract() -> None:
        async with customers_of(str(MONGODB)) as repository:
            await keeps_its_contract(repository)


async def test_what_is_added_while_all_are_read_does_no_harm(tmp_path: Path) -> None:
    async with customers_of(f"sqlite:{tmp_path / 'customers.db'}") as repository:
        for number in range(0, 300, 2):
            await repository.add(somebody(number))
        seen: list[str] = []
        async for found in repository.every():
            seen.append(found.id)
            if len(seen) == 1:
                await repository.add(somebody(299))
    assert seen == sorted(set(seen))
    assert len(seen) == 151


@pytest.mark.parametrize(
    "spelling",
    [ID, ID.upper(), f"  {ID}\n", f'ObjectId("{ID}")', f"ObjectId('{ID}')", str(as_uuid(ID)), as_uuid(ID).hex],
)
def test_an_id_is_the_same_however_it_is_spelled(spelling: str) -> None:
    assert canonical(spelling) == ID


@pytest.mark.parametrize("wrong", ["", "7", ID[:-1], ID + "0", f"ObjectId(\"{ID}')", "g" * 24, "f" * 32, "٣" * 24])
def test_what_is_no_id_is_refused_with_what_it_was(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"24 hexadecimal digits|ids have 12"):
        canonical(wrong)


def test_a_document_of_mongodb_holds_an_object_id_and_gives_the_customer_back() -> None:
    ada = Customer(id=ID, name="Ada", city="Bern")
    kept = document(ada)
    assert kept["_id"] == ObjectId(ID)
    assert customer(kept) == ada


class Server:
    """A database that allows some commands, and answers them as MongoDB does."""

    def __init__(self, *allowed: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self._allowed = allowed

    async def command(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked)
        kind = "authorized" if "authorizedCollections" in asked else next(iter(asked))
        if kind not in self._allowed:
            raise OperationFailure("not authorized on shop", UNAUTHORIZED)
        return {"cursor": {"firstBatch": [{"name": "customers"}, {"name": "audit"}]}}


@pytest.mark.parametrize(
    ("allowed", "found", "commands"),
    [
        (["listCollections"], ["audit", "customers"], 1),
        (["authorized"], ["audit", "customers"], 2),
        (["find"], ["customers"], 3),
        ([], [], 3),
    ],
)
async def test_collections_are_found_with_whatever_rights_there_are(
    allowed: list[str], found: list[str], commands: int
) -> None:
    server = Server(*allowed)
    assert await discovered(server.command, KNOWN) == found
    assert len(server.asked) == commands


async def test_what_is_no_missing_right_is_not_taken_for_one() -> None:
    async def broken(asked: dict[str, Any]) -> dict[str, Any]:
        raise OperationFailure("not primary", 10107)

    with pytest.raises(OperationFailure, match="not primary"):
        await discovered(broken, KNOWN)


async def test_an_unknown_kind_of_database_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no repository for 'oracle': use one of sqlite, postgresql, mongodb"):
        await open_customers("oracle://somewhere")


async def test_a_missing_driver_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name}")

    monkeypatch.setattr("examples.backend.repositories.factory.import_module", missing)
    with pytest.raises(RuntimeError, match=r"postgresql needs a driver: pip install 'psycopg\[binary,pool\]'"):
        await open_customers("postgresql://somewhere")


async def test_clients_find_by_any_spelling_and_read_all_as_a_stream(capnweb_pair: PairFixture, tmp_path: Path) -> None:
    async with (
        customers_of(f"sqlite:{tmp_path / 'customers.db'}") as repository,
        capnweb_pair(Customers(repository), CustomersStub) as api,
    ):
        await api.add(Customer(id=f'ObjectId("{ID}")', name="Ada", city="Bern"))
        assert (await api.find(ID.upper())).id == ID
        assert await names(api) == ["Ada"]
