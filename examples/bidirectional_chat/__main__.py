"""`python -m examples.bidirectional_chat`: a server, members of this process, and one that is killed. With
`--backplane redis://127.0.0.1/0` two servers share the rooms.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from signal import SIGKILL

from capnweb_runtime import connect
from capnweb_runtime.scale import TopicBatch
from examples.bidirectional_chat.client import Member, entered
from examples.bidirectional_chat.crossing import crossing
from examples.bidirectional_chat.generated.chat import ChatStub, MemberTarget
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.schemas.chat import (
    Came,
    Happened,
    NameTaken,
    NoSuchRoom,
    Said,
    Went,
    WrongPassword,
)
from examples.bidirectional_chat.server import PASSWORD
from examples.form.processes import started, tell
from examples.form.report import Report
from examples.form.running import run

KEPT = 100
TTL = 2.0


async def chat(report: Report, *, backplane: str = "memory:") -> None:
    """Everything that the README claims."""
    await crossing(report)
    given = ("--port", "0", "--kept", str(KEPT), "--ttl", str(TTL), "--backplane", backplane)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(started("examples.bidirectional_chat.server", *given))
        url = other = first.url
        if backplane != "memory:":  # all but ada are at another server
            other = (await stack.enter_async_context(started("examples.bidirectional_chat.server", *given))).url
        ears = Heard()
        async with entered(url, "ada", ears) as ada:
            await answering(report, other, ada)
            await vanishing(report, other, ada, ears)
            await away(report, other, ada)
            await refusals(report, other, ada)
            await slow(report, other, ada, ears)


class Parrot(Heard):
    """Calls the server in the midst of being called by it."""

    member: Member

    async def deliver(self, batch: TopicBatch[Happened]) -> None:
        for item in batch.items:
            if item.kind == "event" and isinstance(said := item.data.root, Said) and said.name != "parrot":
                await self.member.room.say(f"{said.text}!")
        await super().deliver(batch)


async def answering(report: Report, url: str, ada: Member) -> None:
    """A member that answers only when its own call was answered."""
    report.section("A member calls the server while the server waits for its answer")
    parrot = Parrot()
    async with entered(url, "parrot", parrot) as parrot.member:
        await ada.room.say("Who is there")
        await parrot.until(Said(name="parrot", text="Who is there!"))
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
    others, gone = Heard(), Went(name="carol", why="lost")
    async with entered(url, "bob", others), process(url, "carol") as client:
        await ears.until(Came(name="carol"))
        report.check("present", ", ".join(await ada.room.present()), "ada, bob, carol")
        tell(client, SIGKILL)
        await ears.until(gone)
        report.check("ada is told that carol is lost, when she has not come back in time", gone in ears.events)
        report.check("present", ", ".join(await ada.room.present()), "ada, bob")
        await ada.room.say("Carol?")  # whatever was told of carol has been told before this
        for each in (ears, others):
            await each.until(Said(name="ada", text="Carol?"))
        report.check("times that ada was told", ears.events.count(gone), 1)
        report.check("times that bob was told", others.events.count(gone), 1)


async def away(report: Report, url: str, ada: Member) -> None:
    """Somebody comes back, once in time and once too late."""
    report.section("A member comes back with a cursor")
    bob = Heard()
    async with entered(url, "bob", bob):
        await bob.until(Came(name="bob"))
    first = len(bob.events)
    texts = [f"while you were away {at}" for at in range(1, 4)]
    for text in texts:
        await ada.room.say(text)
    async with entered(url, "bob", bob):
        await bob.until(Said(name="ada", text=texts[-1]))
        await ada.room.say("Welcome")
        await bob.until(Said(name="ada", text="Welcome"))
        report.check("what bob has missed", bob.texts()[:3], texts)
        report.check("events since then: he went, three texts, he came, one more", len(bob.events) - first, 6)
    heard = len(bob.events)
    await speak(ada, 250, [])
    async with entered(url, "bob", bob):
        await ada.room.say("You were away for long")
        await bob.until(Said(name="ada", text="You were away for long"))
        report.check(
            f"back after more than the {KEPT} events that the room keeps, he is told so", bob.gaps, ["trimmed"]
        )
        report.check("and hears what is new", bob.texts()[-1], "You were away for long")
        report.check("but nothing of what was before", [each.kind for each in bob.events[heard:]], ["came", "said"])


async def speak(member: Member, texts: int, to: list[Heard]) -> None:
    """Say much, 50 texts at a time, and wait until those who listen have heard them."""
    for at in range(0, texts, 50):
        await asyncio.gather(*(member.room.say(f"text {at + number}") for number in range(50)))
        for ears in to:
            for number in range(50):
                await ears.until(Said(name="ada", text=f"text {at + number}"))


class Silent(MemberTarget):
    """Hands over nothing but itself."""


async def refusals(report: Report, url: str, ada: Member) -> None:
    """What bad input gets."""
    report.section("What bad input gets")
    async with connect(url, ChatStub) as stub:
        await report.refused("a wrong password", stub.enter("eve", "123456", "key", Silent()), WrongPassword)
        error = await report.refused(
            "a name that somebody has", stub.enter("ada", PASSWORD, "key", Silent()), NameTaken
        )
        report.check("which one", error.taken, "ada")
        async with await stub.enter("eve", PASSWORD, "key", Silent()) as house:
            cellar = await report.refused("a room that is not there", house.join("cellar"), NoSuchRoom)
            report.check("the rooms that there are", ", ".join(cellar.rooms), "hall, library")
    wrong = await report.refused("a text of 501 characters", ada.room.say("x" * 501), TypeError)
    report.say(str(wrong))
    report.check("ada, who has sent it, is still present", await ada.room.present(), ["ada"])


async def slow(report: Report, url: str, ada: Member, ears: Heard) -> None:
    """Somebody takes no more than one event."""
    report.section("A slow reader")
    bob, dora = Heard(), Heard()
    async with entered(url, "bob", bob), entered(url, "dora", dora):
        await dora.until(Came(name="dora"))
        dora.listens.clear()
        await ada.room.say("text")
        await dora.until(Said(name="ada", text="text"))
        await bob.until(Said(name="ada", text="text"))
        await speak(ada, 250, [bob])
        report.check("texts that bob has heard meanwhile", len(bob.texts()) - 1, 250)
        report.check("texts that dora has heard", len(dora.texts()), 1)
        dora.listens.set()
        await ada.room.say("Dora?")
        await dora.until(Said(name="ada", text="Dora?"))
        report.check("what she is told when she listens again", dora.gaps, ["slow"])
        report.check("texts that she hears then, of those that waited for her", len(dora.texts()) - 1 <= KEPT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.bidirectional_chat", description=__doc__)
    parser.add_argument("--backplane", default="memory:", help="where the rooms are (default: %(default)s)")
    run("bidirectional_chat", partial(chat, backplane=parser.parse_args().backplane))
