"""`python -m examples.peer_to_peer`: Ada knows Bob and Carol, who are processes and do not know each other."""

from __future__ import annotations

import asyncio
import signal

from capnweb_runtime import ConnectionLost
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.peer_to_peer.client import introduce
from examples.peer_to_peer.generated.peer_to_peer import PeerStub
from examples.peer_to_peer.peer import Node, joined
from examples.peer_to_peer.schemas.peer_to_peer import Gone, NoSuchFriend, Note, Revoked

SILENCE = 0.1
"""Seconds of silence after which Ada asks for a sign of life; a program keeps the 20 that are the default."""


async def peer_to_peer(report: Report) -> None:
    """Everything that the README claims."""
    async with (
        started("examples.peer_to_peer.server", "--name", "bob") as bob,
        started("examples.peer_to_peer.server", "--name", "carol") as carol,
    ):
        ada = Node("ada")
        async with joined(ada, carol.url) as at_carol:
            async with joined(ada, bob.url) as at_bob:
                await equals(report, at_bob)
                await introduction(report, at_bob, at_carol)
                await vanished(report, at_bob, at_carol, carol)
            await introducer_gone(report, bob)
        await silent(report, ada, bob)


async def equals(report: Report, bob: PeerStub) -> None:
    """One session, and both ends serve and call."""
    report.section("Both ends are equal")
    report.check("Ada asks who is there", await bob.name(), "bob")
    report.check("Bob is asked whom he sees, and asks back over the same session", await bob.sees(), "ada")
    calls = [bob.sees() for _ in range(100)]
    report.check("100 such calls at once, answers", (await asyncio.gather(*calls)).count("ada"), 100)


async def introduction(report: Report, bob: PeerStub, carol: PeerStub) -> None:
    """Ada lends Bob the notebook of Carol, and takes it back."""
    report.section("An introduction, and its end")
    await report.refused("Bob writes to Carol, whom he does not know", bob.write_to("carol", "hello"), NoSuchFriend)
    loan = await introduce(bob, carol, name="carol")
    report.check("Bob's friends, once Ada has introduced him", await bob.friends(), ["carol"])
    report.check("notes of Carol, once Bob has written to her", await bob.write_to("carol", "hello"), 1)
    async with await carol.notebook() as notebook:
        (note,) = await notebook.notes()
        report.check("who has written it, as Carol sees it", note.author, "bob")
        loan.take_back()
        await report.refused("Bob writes again, once Ada has taken it back", bob.write_to("carol", "again"), Revoked)
        report.check("Ada's own permission is as it was", await notebook.write(Note(author="ada", text="bye")), 2)


async def vanished(report: Report, bob: PeerStub, carol: PeerStub, program: Program) -> None:
    """Carol is killed."""
    report.section("A peer that vanishes (kill -9)")
    await introduce(bob, carol, name="carol")
    report.check("notes of Carol, once Bob has been introduced anew", await bob.write_to("carol", "me again"), 3)
    broken = asyncio.Event()
    carol.on_broken(lambda error: broken.set())
    await program.kill()
    async with asyncio.timeout(10):
        await broken.wait()
    report.say("Ada is told by on_broken")
    await report.refused("Ada asks Carol", carol.name(), ConnectionLost)
    await report.refused("Bob, who knows her through Ada, writes", bob.write_to("carol", "are you there?"), Gone)
    report.check("Ada and Bob go on", await bob.sees(), "ada")


async def introducer_gone(report: Report, bob: Program) -> None:
    """Ada has left Bob: what she had lent to him has ended with her."""
    report.section("Whoever has introduced them leaves")
    async with joined(Node("dan"), bob.url) as at_bob:
        report.check("Bob's friends, once Ada has left", await at_bob.friends(), [])


async def silent(report: Report, ada: Node, bob: Program) -> None:
    """Bob holds his socket and says nothing, as behind a cable that was pulled."""
    report.section("A peer that falls silent (kill -STOP)")
    async with joined(ada, bob.url, keepalive=SILENCE) as at_bob:
        report.check("Bob answers", await at_bob.name(), "bob")
        bob.process.send_signal(signal.SIGSTOP)
        try:
            await report.refused("he is asked, and says nothing", at_bob.name(), ConnectionLost)
        finally:
            bob.process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    run("peer_to_peer", peer_to_peer)
