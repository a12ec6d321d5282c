"""`python -m examples.actor_system`: actors in processes that are killed and started again, until it is too often."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile

from capnweb_runtime import GoingAway, connect
from examples.actor_system.client import deposit_all
from examples.actor_system.generated.actor_system import AccountStub, SystemStub
from examples.actor_system.schemas.actor_system import Crashed, NoSuchActor
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

MESSAGES = [f"m{number:03}" for number in range(200)]
SERVER = "examples.actor_system.server"
BOUND = ("--restarts", "2", "--within", "60")


async def actor_system(report: Report) -> None:
    """Everything that the README claims."""
    with tempfile.TemporaryDirectory() as journals:
        async with started(SERVER, "--journals", journals, *BOUND) as program:
            async with connect(program.url, SystemStub) as system:
                await capabilities(report, system)
                await order(report, system)
                await killed(report, system)
                await given_up(report, system)
            said = await program.line()
            report.check("the system ends, and says why", said, "given up: more than 2 restarts within 60 s")
            report.check("its exit code", await program.process.wait(), 1)
        async with (
            started(SERVER, "--journals", journals, *BOUND, "--strategy", "one-for-all") as program,
            connect(program.url, SystemStub) as system,
        ):
            await together(report, system)


async def capabilities(report: Report, system: SystemStub) -> None:
    """Actors are placed, and passed to each other."""
    report.section("Actors are capabilities, wherever they run")
    for place in await system.places():
        report.say(f"{place.worker} has {', '.join(place.actors)}")
    pids = {place.pid for place in await system.places()}
    report.check("processes in which actors run", len(pids), 2)
    await report.refused("an actor that there is not", system.actor("dora"), NoSuchActor)
    alice, bob = system.actor("alice"), system.actor("bob")  # promises will do
    report.check("alice, after a deposit of 100", await alice.deposit("salary", 100), 100)
    left = await alice.transfer("rent", bob, 30)
    report.check("alice, after she has given 30 to bob, who is in another process", left, 70)
    await alice.transfer("rent", bob, 30)
    report.check("bob, after that message was sent twice", await bob.balance(), 30)


async def order(report: Report, system: SystemStub) -> None:
    """Messages are processed in the order in which they came."""
    report.section("A mailbox")
    async with await system.actor("bob") as bob:
        before = len(await bob.processed())
        report.check("200 messages, sent at once, without an answer", await deposit_all(bob, MESSAGES, 1), [])
        report.check("they were processed in their order", (await bob.processed())[before:] == MESSAGES)
        report.check("bob", await bob.balance(), 230)


async def killed(report: Report, system: SystemStub) -> None:
    """The process of alice and carl is killed in the midst of her messages."""
    report.section("A worker is killed (kill -9), in the midst of 200 messages for alice")
    async with await system.actor("alice") as alice, await system.actor("carl") as carl:
        await carl.deposit("found", 50)
        sent = {message: alice.deposit(message, 1) for message in MESSAGES}
        await sent[MESSAGES[19]]
        await kill(system, 0)
        results = dict(zip(sent, await asyncio.gather(*sent.values(), return_exceptions=True), strict=True))
        crashed = [message for message, result in results.items() if isinstance(result, Crashed)]
        answered = [message for message, result in results.items() if isinstance(result, int)]
        report.at_least("messages that were answered", len(answered), 20)
        report.at_least("messages that were not: Crashed", len(crashed), 1)
        report.check("together", len(answered) + len(crashed), 200)
        kept = await alice.processed()  # of the alice that was started again, whom the same capability reaches
        report.check("recovered, as she has a journal: every message that was answered", set(kept) >= set(answered))
        report.check("sent again, with the same ids, and answered", await deposit_all(alice, crashed, 1), [])
        report.check("alice, each message counted once", await alice.balance(), 270)
        report.check("lost, as he has no journal: all that carl had", await carl.balance(), 0)
    report.check("starts of the worker that was killed, and of the other", await starts(system), [2, 1])


async def given_up(report: Report, system: SystemStub) -> None:
    """The bound on restarts is passed."""
    report.section("More restarts than 2 within 60 s")
    async with await system.actor("alice") as alice:
        await kill(system, 0)
        await asked_again(alice)
        report.check("starts, once it was killed again", await starts(system), [3, 1])
        await kill(system, 0)
        await report.refused("alice, once it was killed a third time", asked_again(alice), GoingAway)


async def together(report: Report, system: SystemStub) -> None:
    """One dies, and all are started again."""
    report.section("The same with one-for-all")
    async with await system.actor("bob") as bob, await system.actor("carl") as carl:
        await carl.deposit("found", 50)
        await kill(system, 1)
        report.check("bob, whose worker was killed, and who has a journal", await asked_again(bob), 230)
        report.check("carl, whose worker was stopped with it, and who has none", await asked_again(carl), 0)
    report.check("starts of both", await starts(system), [2, 2])


async def kill(system: SystemStub, worker: int) -> None:
    """End a worker as a machine that loses power does."""
    os.kill((await system.places())[worker].pid, signal.SIGKILL)


async def starts(system: SystemStub) -> list[int]:
    """How often each worker has been started."""
    return [place.starts for place in await system.places()]


async def asked_again(account: AccountStub) -> int:
    """What there is, asked again where the actor crashes meanwhile."""
    while True:
        try:
            return await account.balance()
        except Crashed:
            continue


if __name__ == "__main__":
    run("actor_system", actor_system)
