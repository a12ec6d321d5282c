"""What a session does comes to the same wherever it lets others go first: questions stand in its line before the end of
what they were asked of.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from capnweb_runtime.core import account
from capnweb_runtime.driving import turns
from capnweb_runtime.plans import gt, keep, plan, repeat, when
from capnweb_runtime.testing import PairFixture
from examples.demo.client import STEPS
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub

SEEDS = range(12)


@pytest.fixture(params=[None, *SEEDS], ids=lambda seed: "always" if seed is None else f"seed {seed}", autouse=True)
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns are over whenever something asks that may take long, and asks each time; with a seed, now and then."""
    monkeypatch.setattr(account, "BRIEF", 0)
    if request.param is None:
        monkeypatch.setattr(turns, "BRIEF", 0.0)
        monkeypatch.setattr(turns, "TURN", 3600.0)
        return
    chance, are_over = random.Random(request.param), turns.Turns.are_over

    def are_over_now_and_then(self: turns.Turns, brief: bool = False) -> bool:
        over = are_over(self, brief)
        if brief and not over and chance.random() < 0.4:
            self._left = over = True
        return over

    monkeypatch.setattr(turns.Turns, "are_over", are_over_now_and_then)


@pytest.mark.capnweb(no_leaks=True)
@pytest.mark.usefixtures("capnweb_calls")
async def test_maps_over_what_a_captured_promise_answers(capnweb_pair: PairFixture) -> None:
    accounts = Accounts()
    async with capnweb_pair(Front(accounts), PublicApiStub, plans=True) as api:
        for step in STEPS:
            assert await step.run(api, accounts) == step.result


@pytest.mark.capnweb(no_leaks=True)
@pytest.mark.usefixtures("capnweb_calls")
async def test_two_maps_that_share_what_they_call(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Front(Accounts()), PublicApiStub) as api:
        authed = api.authenticate("secret")
        friends = authed.friends()
        names = friends.map(lambda friend: authed.get_profile(authed.get_profile(friend).id).name)
        tags = friends.map(lambda friend: authed.get_profile(friend).tags)
        authed.dispose()
        friends.dispose()
        assert [*await asyncio.gather(names, tags)] == [["Grace", "Barbara"], [["compilers"], []]]


@pytest.mark.capnweb(no_leaks=True)
@pytest.mark.usefixtures("capnweb_calls")
async def test_plans_with_maps_and_loops_in_them(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Front(Accounts()), PublicApiStub, plans=True) as api:
        authed = api.authenticate("secret")
        chosen = await plan(
            authed,
            lambda p: when(
                gt(p.me(), 0),
                then=lambda: keep(p.friends(), lambda friend: gt(p.get_profile(friend).id, 2)).map(
                    lambda friend: p.get_profile(friend).name
                ),
                otherwise=lambda: p.friends().map(lambda friend: p.get_profile(friend).name),
            ),
        )
        assert chosen == ["Barbara"]
        last = await plan(
            authed, lambda p: repeat(p.me(), while_=lambda n: gt(3, n), do=lambda n: p.get_profile(3).id, at_most=5)
        )
        assert last == 3
        authed.dispose()
