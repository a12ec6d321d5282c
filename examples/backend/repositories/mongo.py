"""Customers in MongoDB. Rule: documents are made and read here alone, and an ObjectId goes no further."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Self

from bson import ObjectId
from pymongo import ASCENDING, AsyncMongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure

from examples.backend.repositories.schemas.customers import AlreadyThere, Customer, NoSuchCustomer

Document = Mapping[str, Any]
KNOWN = ("customers",)
"""Collections that this program has; asked for one by one where they may not be listed."""
UNAUTHORIZED = 13
"""The code with which MongoDB refuses what a user may not do."""


def document(customer: Customer) -> dict[str, Any]:
    """What is kept of a customer."""
    return {"_id": ObjectId(customer.id), "name": customer.name, "city": customer.city}


def customer(found: Document) -> Customer:
    """A customer out of what was kept."""
    return Customer(id=str(found["_id"]), name=found["name"], city=found["city"])


async def discovered(command: Callable[[dict[str, Any]], Awaitable[Document]], known: Sequence[str]) -> list[str]:
    """The collections that may be read, for users with whatever rights.

    To list all of them takes a right that most users of an application lack; a server since 4.0 lists those that the
    user may read, if it is asked for no more than that; and where even this is refused, each that is known is asked
    for.

    Parameters:
        command: sends a command to the database.
        known: collections that this program has.

    Raises:
        OperationFailure: something other than a right is missing.
    """
    ways = (
        {"listCollections": 1, "nameOnly": True},
        {"listCollections": 1, "nameOnly": True, "authorizedCollections": True},
    )
    for way in ways:
        answer = await _allowed(command, way)
        if answer is not None:
            return sorted(one["name"] for one in answer["cursor"]["firstBatch"])
    asked = [(name, await _allowed(command, {"find": name, "limit": 1})) for name in known]
    return sorted(name for name, answer in asked if answer is not None)


async def _allowed(command: Callable[[dict[str, Any]], Awaitable[Document]], way: dict[str, Any]) -> Document | None:
    try:
        return await command(way)
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        return None


class MongoCustomers:
    """A database of MongoDB; made by `open`."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._database = client.get_default_database("shop")
        self._customers = self._database["customers"]

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect. Raises pymongo.errors.PyMongoError if there is no database."""
        made = cls(AsyncMongoClient(url, serverSelectionTimeoutMS=10_000))
        await made._customers.create_index([("city", ASCENDING), ("_id", ASCENDING)])
        return made

    async def add(self, customer: Customer) -> None:
        """Keep one."""
        try:
            await self._customers.insert_one(document(customer))
        except DuplicateKeyError:
            raise AlreadyThere(customer.id) from None

    async def find(self, id: str) -> Customer:
        """One by its id."""
        found = await self._customers.find_one({"_id": ObjectId(id)})
        if found is None:
            raise NoSuchCustomer(id)
        return customer(found)

    async def in_city(self, city: str, most: int) -> list[Customer]:
        """Those of a city."""
        return [customer(found) async for found in self._customers.find({"city": city}).sort("_id").limit(most)]

    async def every(self) -> AsyncIterator[Customer]:
        """All of them; the driver reads a batch at a time."""
        async for found in self._customers.find().sort("_id"):
            yield customer(found)

    async def collections(self) -> list[str]:
        """Collections that this user may read."""

        async def command(asked: dict[str, Any]) -> Document:
            answer: Document = await self._database.command(asked)
            return answer

        return await discovered(command, KNOWN)

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()
