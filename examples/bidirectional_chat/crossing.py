"""What a real line would show by chance only: calls that cross. Both ends are in this process, joined by a line that
can be held.
"""

from __future__ import annotations

import asyncio

from capnweb_runtime.testing import Faults, pair
from examples.bidirectional_chat.client import Member
from examples.bidirectional_chat.generated.chat import ChatStub
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.schemas.chat import Came, Happened, Said
from examples.bidirectional_chat.server import PASSWORD, Chat, opened
from examples.form.report import Report


async def crossing(report: Report) -> None:
    """A line that holds everything back shows that both sides have sent before either has received."""
    report.section("Both sides call in the same instant")
    faults, ears = Faults(), Heard()
    ada = Member("ada", PASSWORD, "hall", ears)
    async with opened() as hall, (joined := pair(Chat(hall), ChatStub, faults=faults, no_leaks=True)) as stub:
        await ada.come_in(stub)
        await ears.until(Came(name="ada"))
        await faults.clock.advance(0)  # all is quiet
        faults.to_server.hold()
        faults.to_client.hold()
        await hall.topic("hall").publish(Happened(Said(name="bob", text="Ada?")))
        saying = asyncio.create_task(say(ada, "Bob?"))
        await faults.clock.advance(0)
        report.check("messages on their way to the server, a call and that its answer is wanted", sent(faults)[0], 2)
        report.check("messages on their way to ada at that moment, the same of the server's", sent(faults)[1], 2)
        faults.to_server.release()
        faults.to_client.release()
        await saying
        await ears.until(Said(name="ada", text="Bob?"))
        report.check("what ada was told", ears.texts(), ["Ada?", "Bob?"])
        ada.go()
        await faults.clock.advance(0)
        left = joined.server.stats()
        report.check("what the server holds of ada's session after she left, beside its ends", left.imports - 1, 0)
        report.check("what ada's session holds of the server, beside its ends", left.exports - 1, 0)


async def say(member: Member, text: str) -> str:
    """Say something, and wait for the answer."""
    return await member.room.say(text)


def sent(faults: Faults) -> tuple[int, int]:
    """Messages that wait on the line, in each direction."""
    return faults.to_server.waiting, faults.to_client.waiting
