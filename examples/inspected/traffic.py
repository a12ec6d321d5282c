"""Clients that keep a server busy, each in its own way. Rule: chance is an argument, so a seed does the same again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from random import Random

from capnweb_runtime import connect
from examples.demo.server import Accounts, Authed, Front
from generated.accounts import AuthedApiTarget, PublicApiStub
from schemas.accounts import Profile

Doing = Callable[[PublicApiStub, Accounts, Random], Awaitable[object]]


class SlowFront(Front):
    """The front of a server whose data is a few milliseconds away, as most are.

    Parameters:
        accounts: the users.
        chance: says how many milliseconds.
    """

    def __init__(self, accounts: Accounts, chance: Random) -> None:
        super().__init__(accounts)
        self._chance = chance

    def authenticate(self, token: str) -> AuthedApiTarget:
        super().authenticate(token)
        return SlowAuthed(self._accounts, self._chance)


class SlowAuthed(Authed):
    """What a signed-in user may do, in its time."""

    def __init__(self, accounts: Accounts, chance: Random) -> None:
        super().__init__(accounts, user_id=1)
        self._chance = chance

    async def get_profile(self, user_id: int) -> Profile:
        await asyncio.sleep(self._chance.expovariate(1 / 0.012))
        return await super().get_profile(user_id)

    async def download(self, name: str) -> AsyncIterator[bytes]:
        async for piece in super().download(name):
            await asyncio.sleep(0.02)
            yield piece


async def look_up(api: PublicApiStub, _: Accounts, chance: Random) -> object:
    """A profile, by a promise of its number."""
    authed = api.authenticate("secret")
    return await authed.get_profile(authed.me() if chance.random() < 0.5 else chance.randint(1, 3)).name


async def list_friends(api: PublicApiStub, _: Accounts, __: Random) -> object:
    """The names of all friends, in one round trip."""
    authed = api.authenticate("secret")
    return await authed.friends().map(lambda user_id: authed.get_profile(user_id).name)


async def miss(api: PublicApiStub, _: Accounts, chance: Random) -> object:
    """A user that there is not."""
    return await api.authenticate("secret").get_profile(chance.randint(40, 99))


async def be_refused(api: PublicApiStub, _: Accounts, __: Random) -> object:
    """A token that is none."""
    return await api.authenticate("guessed").me()


async def download(api: PublicApiStub, _: Accounts, __: Random) -> object:
    """A file, in pieces."""
    return [piece async for piece in api.authenticate("secret").download("profiles.csv")]


async def watch(api: PublicApiStub, accounts: Accounts, chance: Random) -> None:
    """Hears of a change, and then of no more."""
    heard = asyncio.Event()
    async with await api.authenticate("secret").watch(lambda _: heard.set()) as subscription:
        await accounts.rename(2, chance.choice(["Grace", "Grace H.", "G. Hopper"]))
        await heard.wait()
        await subscription.cancel()


DOINGS: list[Doing] = [look_up, look_up, look_up, list_friends, list_friends, download, watch, miss, be_refused]


async def client(url: str, accounts: Accounts, chance: Random, pause: float) -> None:
    """One client that does something, rests, and does something else, until it is cancelled.

    Parameters:
        url: of the server.
        accounts: what it serves.
        chance: decides.
        pause: seconds to rest, on average.
    """
    async with connect(url, PublicApiStub) as api:
        while True:
            await asyncio.sleep(chance.expovariate(1 / pause))
            with suppress(LookupError, PermissionError):
                await chance.choice(DOINGS)(api, accounts, chance)
