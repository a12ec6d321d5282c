"""Capabilities, pipelines and losses at random, against a model of what may have happened: a capability never becomes
another one, and nothing that may not run twice does.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime import Disconnected, SessionClosed, StaleCapability
from tests.chaos.generated.bank import AccountStub, BankStub
from tests.chaos.server import Client, Line, State


class Model:
    """What was asked for, by numbers that are used once, and what came of it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.numbers = 0
        self.expected: dict[int, str] = {}  # the account that a number was deposited in
        self.acknowledged: set[int] = set()
        self.maybe: set[int] = set()

    async def deposit(self, account: AccountStub, name: str, *, lasts: bool) -> None:
        self.numbers += 1
        number = self.numbers
        self.expected[number] = name
        try:
            await account.deposit(number)
        except Disconnected as error:
            if error.sent:
                self.maybe.add(number)
        except StaleCapability:
            assert not lasts, "a capability was stale that can be got again"
        else:
            self.acknowledged.add(number)

    async def use(self, api: BankStub, caller: int) -> None:
        """Has an account in one of several ways, and uses it for a while."""
        name = f"account {caller}"
        way = self.chance.choice(["plain", "sub", "listing", "open", "for another"])
        if way == "open":
            try:
                account = await api.open(name)
            except Disconnected:
                return
        elif way == "sub":
            account, name = await api.account(name).sub("x"), f"{name}/x"
        elif way == "listing":
            listing: Any = await api.listing(["first", "second", name])
            listing.first.dispose()
            listing.rest[0].dispose()
            account = listing.rest[1]
        else:
            account = await api.account(name)
        lasts = way != "open"
        with account:
            for _ in range(6):
                await self.deposit(account, name, lasts=lasts)
                if lasts:
                    assert await account.owner == name
                    assert await api.of(account) == name
                    assert await account.sub("y").owner == f"{name}/y"
                for _ in range(self.chance.randint(0, 3)):
                    await asyncio.sleep(0)

    def check(self, state: State) -> None:
        ran = Counter(number for what, number in state.ran if what == "deposit")
        assert all(times == 1 for times in ran.values()), "a deposit was made twice"
        assert self.acknowledged <= ran.keys() <= self.acknowledged | self.maybe
        for name, balance in state.balances.items():
            assert balance == sum(number for number in ran if self.expected[number] == name), "in another account"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_what_happens_is_what_may_happen(seed: int, callers: int) -> None:
    chance = random.Random(seed)

    async def run() -> None:
        line, model = Line(), Model(chance)
        done = asyncio.Event()

        async def cut() -> None:
            for _ in range(chance.randint(1, 25)):
                for _ in range(chance.randint(0, 12)):
                    await asyncio.sleep(0)
                if chance.random() < 0.2:
                    line.refuse.append(SessionClosed("not now"))
                match chance.randint(0, 3):
                    case 0:
                        line.cut()
                    case 1 if line.server is not None:
                        line.server.abort(SessionClosed("going away"), notify=False)
                    case 2 if line.client is not None:
                        line.client.abort(SessionClosed("on this side"))
                    case _:
                        line.cut()
            done.set()

        async with asyncio.timeout(60), Client(line) as api:
            await asyncio.gather(cut(), *(model.use(api, caller) for caller in range(callers)))
            assert await api.named("still there") == "still there"
        model.check(line.state)

    asyncio.run(run())
