"""`python -m examples.bidirectional_chat`: a server, members of this process, and one that is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from signal import SIGKILL

from capnweb_runtime import connect
from examples.bidirectional_chat.client import Member, entered
from examples.bidirectional_chat.crossing import crossing, deaf
from examples.bidirectional_chat.generated.chat import ChatStub
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.rooms import PASSWORD
from examples.bidirectional_chat.schemas.chat import NameTaken, News, NoSuchRoom, Said, WrongPassword
from examples.form.processes import started, tell
from examples.form.report import Report
from examples.form.running import run

KEPT = 100


async def chat(report: Report) -> None:
    """Everything that the README claims."""
    await crossing(report)
    async with started("examples.bidirectional_chat.server", "--port", "0", "--kept", str(KEPT)) as server:
        ears = Heard()
        async with entered(server.url, "ada", ears) as ada:
            await answering(report, server.url, ada)
            await vanishing(report, server.url, ada, ears)
            await away(report, server.url, ada)
            await refusals(report, server.url, ada)
            await slow(report, server.url, ada, ears)
    await deaf(report)


class Parrot(Heard):
    """Calls the server in the midst of being called by it."""

    member: Member

    async def happened(self, room: str, news: News) -> None:
        for event in news.events:
            if isinstance(event, Said) and event.name != "parrot":
                await self.member.room.say(f"{event.text}!")
        await super().happened(room, news)


async def answering(report: Report, url: str, ada: Member) -> None:
    """A member that answers only when its own call was answered."""
    report.section("A member calls the server while the server waits for its answer")
    parrot = Parrot()
    async with entered(url, "parrot", parrot) as parrot.member:
        number = await ada.room.say("Who is there")
        await parrot.until(number + 1)
        report.check("what was said", parrot.texts(), ["Who is there", "Who is there!"])


@asynccontextmanager
async def process(url: str, name: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The terminal client, as a process of its own."""
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.bidirectional_chat.client", url, "--name", name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield client
    finally:
        tell(client, SIGKILL)
        await client.wait()


async def vanishing(report: Report, url: str, ada: Member, ears: Heard) -> None:
    """Somebody is killed."""
    report.section("A member is killed (kill -9)")
    others = Heard()
    async with entered(url, "bob", others), process(url, "carol") as client:
        await ears.until_here("carol")
        report.check("present", ", ".join(await ada.room.present()), "ada, bob, carol")
        tell(client, SIGKILL)
        report.check("ada is told that carol", (await ears.until_gone("carol")).why, "lost")
        report.check("present", ", ".join(await ada.room.present()), "ada, bob")
        last = await ada.room.say("Carol?")  # whatever was told of carol has been told before this
        await ears.until(last)
        await others.until(last)
        report.check("times that ada was told", len(ears.gone("carol")), 1)
        report.check("times that bob was told", len(others.gone("carol")), 1)


async def away(report: Report, url: str, ada: Member) -> None:
    """Somebody comes back, once in time and once too late."""
    report.section("A member comes back with a cursor")
    bob = Heard()
    async with entered(url, "bob", bob) as member:
        await bob.until_here("bob")
        first = len(bob.events)
    said = [await ada.room.say(f"while you were away {at}") for at in range(1, 4)]
    async with entered(url, "bob", bob) as member:
        await bob.until(said[-1] + 1)
        report.check("what bob has missed", bob.texts()[-3:], [f"while you were away {at}" for at in range(1, 4)])
        report.check("events since then: he went, three texts, he came", len(bob.events) - first, 5)
        numbers = [event.number for event in bob.events]
        report.check("no hole and nothing twice", numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        page = await member.room.history(said[0], most=2)
        report.check("history after a cursor, two at most", [event.number for event in page.events], said[1:])
    heard = len(bob.events)
    await speak(ada, 250, [])
    async with entered(url, "bob", bob):
        await bob.until_here("bob")
        await bob.until((await ada.room.history(0)).events[-1].number)
        report.check(f"back after 252 events, of which the room keeps {KEPT}: heard", len(bob.events) - heard, KEPT)
        report.check("and told that others are missing", bob.lost, 252 - KEPT)


async def speak(member: Member, texts: int, to: list[Heard]) -> int:
    """Say much, 50 texts at a time, and wait until those who listen have heard them. Returns the last number."""
    last = 0
    for at in range(0, texts, 50):
        last = max(await asyncio.gather(*(member.room.say(f"text {at + number}") for number in range(50))))
        for ears in to:
            await ears.until(last)
    return last


async def refusals(report: Report, url: str, ada: Member) -> None:
    """What bad input gets."""
    report.section("What bad input gets")
    wrong = Member("eve", "123456", "hall", Heard())
    await report.refused("a wrong password", come_in(url, wrong), WrongPassword)
    taken = Member("ada", PASSWORD, "hall", Heard())
    error = await report.refused("a name whose holder answers", come_in(url, taken), NameTaken)
    report.check("which one", error.taken, "ada")
    nowhere = Member("eve", PASSWORD, "cellar", Heard())
    lost = await report.refused("a room that is not there", come_in(url, nowhere), NoSuchRoom)
    report.check("the rooms that there are", ", ".join(lost.rooms), "hall, library")
    long = await report.refused("a text of 501 characters", ada.room.say("x" * 501), TypeError)
    report.say(str(long).partition(", got")[0])
    report.check("ada, who has sent it, is still present", await ada.room.present(), ["ada"])


async def come_in(url: str, member: Member) -> None:
    """Try to be let in."""
    async with entered_as(url, member):
        pass


@asynccontextmanager
async def entered_as(url: str, member: Member) -> AsyncGenerator[None]:
    """Be in a room as somebody who is not going to come back."""
    async with connect(url, ChatStub) as stub:
        await member.come_in(stub)
        yield
        member.go()


async def slow(report: Report, url: str, ada: Member, ears: Heard) -> None:
    """Somebody takes no more than one event."""
    report.section("A slow reader")
    bob, dora = Heard(), Heard()
    async with entered(url, "bob", bob), entered(url, "dora", dora):
        await dora.until_here("dora")
        dora.listens.clear()
        first = await ada.room.say("text")
        await dora.until(first)
        last = await speak(ada, 250, [bob, ears])
        report.check("texts that bob and ada have heard meanwhile", [each.cursor for each in (bob, ears)], [last] * 2)
        report.check("texts that dora has heard", len(dora.texts()), 1)
        dora.listens.set()
        await dora.until(last)
        report.check("texts that dora hears when she listens again: those the room keeps", len(dora.texts()) - 1, KEPT)
        report.check("texts that she is told to have missed", dora.lost, 250 - KEPT)


if __name__ == "__main__":
    run("bidirectional_chat", chat)
