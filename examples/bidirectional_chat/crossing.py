"""What a real line would show by chance only: calls that cross, and a member that never answers. Both ends are in this
process, joined by a line that can be held.
"""

from __future__ import annotations

import asyncio

from capnweb_runtime.testing import Faults, pair
from examples.bidirectional_chat.client import Member
from examples.bidirectional_chat.generated.chat import ChatStub
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.rooms import PASSWORD
from examples.bidirectional_chat.schemas.chat import NotHere, Said
from examples.bidirectional_chat.server import Chat, Hall
from examples.form.report import Report


async def crossing(report: Report) -> None:
    """A line that holds everything back shows that both sides have sent before either has received."""
    report.section("Both sides call in the same instant")
    hall, faults, ears = Hall(), Faults(), Heard()
    joined = pair(Chat(hall), ChatStub, faults=faults, no_leaks=True)
    async with joined as stub:
        ada = Member("ada", PASSWORD, "hall", ears)
        await ada.come_in(stub)
        await ears.until(1)
        await faults.clock.advance(0)  # all is quiet
        faults.to_server.hold()
        faults.to_client.hold()
        hall.rooms["hall"].log.add(lambda number: Said(number=number, name="bob", text="Ada?"))
        saying = asyncio.create_task(say(ada, "Bob?"))
        await faults.clock.advance(0)
        report.check("messages on their way to the server, a call and that its answer is wanted", sent(faults)[0], 2)
        report.check("messages on their way to ada at that moment, the same of the server's", sent(faults)[1], 2)
        faults.to_server.release()
        faults.to_client.release()
        report.check("the number that ada's call is answered with", await saying, 3)
        await ears.until(3)
        report.check("what ada was told", ears.texts(), ["Ada?", "Bob?"])
        ada.go()
        await faults.clock.advance(0)
        left = joined.server.stats()
        report.check("what the server holds of ada's session after she left, beside its ends", left.imports - 1, 0)
        report.check("what ada's session holds of the server, beside its ends", left.exports - 1, 0)


async def say(member: Member, text: str) -> int:
    """Say something, and wait for the answer."""
    return await member.room.say(text)


def sent(faults: Faults) -> tuple[int, int]:
    """Messages that wait on the line, in each direction."""
    return faults.to_server.waiting, faults.to_client.waiting


async def deaf(report: Report) -> None:
    """Somebody never answers."""
    hall, ears, deaf_ears = Hall(), Heard(), Heard()
    deaf_ears.listens.clear()
    async with pair(Chat(hall), ChatStub) as first, pair(Chat(hall), ChatStub) as second:
        ada = Member("ada", PASSWORD, "hall", ears)
        dora = Member("dora", PASSWORD, "hall", deaf_ears)
        await ada.come_in(first)
        hall.patience = 0.05  # for those who join from now on
        await dora.come_in(second)
        report.check("one who takes longer than the server's patience is", (await ears.until_gone("dora")).why, "deaf")
        await report.refused("what she says then", dora.room.say("Hello?"), NotHere)
