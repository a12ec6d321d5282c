"""What users do: the examples, by many at a time.

Rule: a user does something `PER_SECOND` times a second, whether or not the last time has been quick, as long as the
server keeps up; so a load is a number of users.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from locust import constant_throughput, task

from capnweb_runtime.scale import Cursor, TopicBatch
from examples.backend.services.generated.market import MarketStub
from examples.calculator.generated.calculator import CalculatorStub
from examples.pubsub.generated.pubsub import PubSubStub
from examples.pubsub.schemas.pubsub import News
from tests.load.user import CapnwebUser

PER_SECOND = 10
TOGETHER = 10
"""Subscribers of one topic."""


class Accountant(CapnwebUser[CalculatorStub]):
    """Computes: chains of calls, each of which takes the result of the one before."""

    stub = CalculatorStub
    wait_time = constant_throughput(PER_SECOND)

    @task(3)
    def one_call(self) -> None:
        self.measure("add", lambda api: api.add(1, 2))

    @task(1)
    def chain(self) -> None:
        self.measure("a chain of 10", self._chain)

    @staticmethod
    async def _chain(api: CalculatorStub) -> None:
        total = api.add(0, 1)
        for number in range(9):
            total = api.add(total, number)
        if await total != 37:
            raise AssertionError("the sum is wrong")


class Trader(CapnwebUser[MarketStub]):
    """Reads models: one company, or all of them by one `map()`."""

    stub = MarketStub
    wait_time = constant_throughput(PER_SECOND)

    @task(3)
    def company(self) -> None:
        self.measure("company", lambda api: api.company("ACME"))

    @task(1)
    def everything(self) -> None:
        self.measure("all companies, by map()", lambda api: api.symbols().map(api.company))


class Subscriber(CapnwebUser[PubSubStub]):
    """Publishes, and waits until it hears that: with it, everybody who has the same topic does."""

    stub = PubSubStub
    wait_time = constant_throughput(PER_SECOND)
    _number = itertools.count()

    async def prepare(self, api: PubSubStub) -> None:
        """Subscribe to one of the topics, each of which has so many subscribers."""
        self._heard = asyncio.Condition()
        self._last = 0
        self._topic = f"topic {next(Subscriber._number) // TOGETHER}"
        self._subscription = await api.topic(self._topic).subscribe(self._deliver)  # holding it is being subscribed

    @task
    def publish(self) -> None:
        self.measure("publish, and hear it", self._round)

    async def _round(self, api: PubSubStub) -> None:
        number = Cursor.parse(await api.publish(self._topic, "news")).offset
        async with self._heard:
            await self._heard.wait_for(lambda: self._last >= number)

    async def _deliver(self, batch: TopicBatch[News]) -> None:
        async with self._heard:
            self._last = Cursor.parse(batch.cursor).offset
            self._heard.notify_all()


@dataclass(frozen=True)
class Scenario:
    """Users, and the server that they need.

    Attributes:
        user: what each user does.
        server: the module that serves, which takes `--port`.
        says: what it is about, for the report.
    """

    user: type[CapnwebUser[Any]]
    server: str
    says: str


SCENARIOS: Mapping[str, Scenario] = {
    "calculator": Scenario(
        Accountant,
        "examples.calculator.server",
        "numbers: three tasks of four are one call of `add`, one is a chain of ten",
    ),
    "market": Scenario(
        Trader,
        "examples.backend.services.server",
        "models: three tasks of four read one company, one reads all companies",
    ),
    "pubsub": Scenario(
        Subscriber,
        "examples.pubsub.server",
        f"callbacks: a task publishes an event, which goes to {TOGETHER} subscribers, and waits for it",
    ),
}
