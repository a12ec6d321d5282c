"""What one client can take from a server, and what it gets when it asks for more."""

from __future__ import annotations

import asyncio

from capnweb_runtime import AnyStub, RpcError, SessionError, SturdyRef, connect
from examples.form.report import Report
from examples.production_patterns.generated.production import ShopApiStub, UserApiStub
from examples.production_patterns.schemas.production import NoRoom, Settings, UserApi


async def limits(report: Report, url: str, access: SturdyRef[UserApi], user: UserApiStub) -> None:
    """A quota, a message that is too large, too many calls at a time; and nobody else pays for any of it."""
    report.section("One client asks for too much")
    for number in range(3):
        await user.note(f"note {number}")
    full = await report.refused("a fourth note, where three may be", user.note("one more"), NoRoom)
    report.check("the room there is, as the error says", full.room, 3)
    await report.refused("a note of 201 characters", user.note("x" * 201), TypeError)
    async with connect(url, AnyStub) as greedy:
        await report.refused("a message of 100 kB", greedy.call("log_in", "x" * 100_000), SessionError)
    async with connect(url, ShopApiStub) as shop:
        session = await shop.enter(access)
        outcomes = await asyncio.gather(*(session.settings() for _ in range(51)), return_exceptions=True)
        (refused,) = [outcome for outcome in outcomes if isinstance(outcome, RpcError)]
        report.check("of 51 calls at a time, answered", sum(isinstance(one, Settings) for one in outcomes), 50)
        report.say(str(refused))
    await user.save(Settings(theme="dark"))
    report.check("the others go on", (await user.settings()).theme, "dark")
