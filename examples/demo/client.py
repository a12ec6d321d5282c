"""The client: each step is a function over a typed stub, run and printed as it stands here.

A step's documentation is its title. `@step` says what it has to return and how many round trips it may take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from capnweb_runtime.plans import contains, plan, when
from examples.demo.server import Accounts
from generated.accounts import PublicApiStub
from schemas.accounts import Profile

Run = Callable[[PublicApiStub, Accounts], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to show.

    Attributes:
        run: does it, and returns what it got.
        result: what it has to get.
        round_trips: how often it waits for the network.
        one_by_one: how often a client would wait that has to have each result before it can use it.
        http: whether to run over HTTP batch rather than WebSocket.
    """

    run: Run
    result: object
    round_trips: int
    one_by_one: int
    http: bool


STEPS: list[Step] = []


def step(result: object, *, round_trips: int, one_by_one: int, http: bool = False) -> Callable[[Run], Run]:
    """Make a function a step of the demo."""

    def add(run: Run) -> Run:
        STEPS.append(Step(run, result, round_trips, one_by_one, http))
        return run

    return add


@step("Ada", round_trips=1, one_by_one=2)
async def log_in(api: PublicApiStub, at_server: Accounts) -> object:
    """Use a capability that has not arrived yet"""
    authed = api.authenticate("secret")  # a promise of an AuthedApi
    return await authed.user_name


@step(Profile(id=1, name="Ada", tags=["analyst", "poet"]), round_trips=1, one_by_one=3)
async def pass_a_promise(api: PublicApiStub, at_server: Accounts) -> object:
    """Pass a promise as an argument"""
    authed = api.authenticate("secret")
    return await authed.get_profile(authed.me())


@step(["Grace", "Barbara"], round_trips=1, one_by_one=4)
async def map_over_friends(api: PublicApiStub, at_server: Accounts) -> object:
    """Map over a list that only the server has"""
    authed = api.authenticate("secret")
    return await authed.friends().map(lambda friend: authed.get_profile(friend).name)


@step("Barbara", round_trips=1, one_by_one=3)
async def send_a_plan(api: PublicApiStub, at_server: Accounts) -> object:
    """Send a plan, and the server decides on the way"""
    authed = api.authenticate("secret")
    return await plan(
        authed, lambda p: when(contains(p.friends(), 3), lambda: p.get_profile(3).name, lambda: p.user_name)
    )


@step(["Amazing Grace"], round_trips=1, one_by_one=2)
async def be_called_back(api: PublicApiStub, at_server: Accounts) -> object:
    """Hand over a function, and the server calls it"""
    heard: list[str] = []
    async with await api.authenticate("secret").watch(lambda profile: heard.append(profile.name)):
        await at_server.rename(2, "Amazing Grace")  # the server's side of this program
    return heard  # leaving the block has given up the subscription, and that ended it


@step("invalid token", round_trips=1, one_by_one=1)
async def be_refused(api: PublicApiStub, at_server: Accounts) -> object:
    """An error fails everything that was built on it"""
    try:
        return await api.authenticate("guess").get_profile(1).name
    except PermissionError as error:  # what the server raised
        return str(error)


@step(["Ada", ["Amazing Grace", "Barbara"]], round_trips=1, one_by_one=5, http=True)
async def send_one_request(api: PublicApiStub, at_server: Accounts) -> object:
    """Do it all in one HTTP request"""
    authed = api.authenticate("secret")
    names = authed.friends().map(lambda friend: authed.get_profile(friend).name)
    return await asyncio.gather(authed.user_name, names)
