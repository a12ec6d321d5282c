"""In which order things happen, and how sessions end."""

from __future__ import annotations

import asyncio

from capnweb_runtime import SessionError
from examples.conformance.checks.base import Ground, aborts, call, check, equal, fails, failure, read, true
from examples.conformance.generated.conformance import PeerApiTarget


class TimesTen(PeerApiTarget):
    """A client's main object."""

    def on_peer_call(self, x: float) -> float:
        return x * 10


@check("calls start in the order in which they arrive", 31)
async def in_order(ground: Ground) -> None:
    api = await ground.session()
    lengths = await asyncio.gather(*(api.append_log(i) for i in range(20)))
    equal(list(lengths), list(range(1, 21)))
    equal(await api.get_log(), list(range(20)))


@check("a call that waits for an argument is overtaken", 31)
async def overtaken(ground: Ground) -> None:
    api = await ground.session()
    slow, quick = api.append_log(api.echo_later("slow", 30)), api.append_log("quick")
    await asyncio.gather(slow, quick)
    equal(await api.get_log(), ["quick", "slow"])


@check("calls on one promise keep their order", 31)
async def on_one_promise(ground: Ground) -> None:
    api = await ground.session()
    counter = api.deferred_counter(10, 0)
    got = await asyncio.gather(counter.increment(1), counter.increment(10), counter.increment(100))
    equal(list(got), [1, 11, 111])


@check("a slow call does not hold up those after it", 31)
async def slow_call(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(
        ["push", call("echoLater", "slow", 40)], ["pull", 1], ["push", call("echoLater", "quick", 1)], ["pull", 2]
    )
    equal([await wire.next(), await wire.next()], [["resolve", 2, "quick"], ["resolve", 1, "slow"]])


@check("a session has its own main and its own state")
async def own_main(ground: Ground) -> None:
    one, two = await ground.session(), await ground.session()
    equal(await one.shared_counter.increment(5), 105)
    equal(await one.append_log("x"), 1)
    equal([await one.shared_counter.value, await two.shared_counter.value], [105, 100])
    equal(await two.get_log(), [])


@check("the shared counter is the same on each read")
async def shared(ground: Ground) -> None:
    wire = await ground.wire()
    equal(await wire.ask(1, call(["sharedCounter", "increment"], 3)), ["resolve", 1, 103])
    equal(await wire.ask(2, read("sharedCounter", "value")), ["resolve", 2, 103])


aborts("a message of an unknown kind aborts", 32, frames=[["poke", 1]], kind="Error", parts=("bad RPC message: ",))
aborts("a message that is no list aborts", 32, frames=[{"push": 1}], kind="Error", parts=("bad RPC message: ",))
aborts("a push without an expression aborts", 32, frames=[["push"]], kind="Error", parts=("bad RPC message: ",))
aborts("a pull of no number aborts", 32, frames=[["pull", "1"]], kind="Error", parts=("bad RPC message: ",))
aborts("text that is not JSON aborts", 32, frames=["{nope"], kind=None)


@check("a received abort is not answered, and closes", 32)
async def received_abort(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["abort", ["error", "Error", "going"]])
    equal(await wire.text(), None)
    code, _ = await wire.closed()
    equal(code, 3000)


@check("nothing is done after an abort", 32)
async def after_abort(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["pull", 9], ["push", call("square", 2)], ["pull", 1])
    equal((await wire.next())[0], "abort")
    equal(await wire.text(), None)


@check("an abort of one session leaves the others alone", 32)
async def other_sessions(ground: Ground) -> None:
    api = await ground.session()
    wire = await ground.wire()
    await wire.send(["pull", 9])
    _ = await wire.closed()
    equal(await api.square(2), 4)


@check("a client's stubs break with their session, each with its reason", 32)
async def broken(ground: Ground) -> None:
    heard: list[BaseException] = []
    api = await ground.session()
    counter = await api.make_counter(1)
    counter.on_broken(heard.append)
    api.dispose()
    await failure(counter.increment())
    true(len(heard) == 1 and isinstance(heard[0], SessionError), f"it broke with {heard}")


@check("disposing the main ends the session", 33)
async def disposed_main(ground: Ground) -> None:
    api = await ground.session()
    counter = await api.make_counter(1)
    api.dispose()
    true(isinstance(await failure(counter.increment()), SessionError), "it is no SessionError")


@check("the client's main object is called", 33)
async def call_peer(ground: Ground) -> None:
    api = await ground.session(TimesTen())
    equal(await api.call_peer(7), 70)


@check("a client without a main object says so", 33)
async def no_main(ground: Ground) -> None:
    api = await ground.session()
    await fails(api.call_peer(7), "Error", "This connection has no main object.")


@check("the client's main object has the id 0", 33)
async def main_on_the_wire(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("callPeer", 7)], ["pull", 1])
    equal((await wire.wait("push"))[1][:3], ["pipeline", 0, ["onPeerCall"]])
    await wire.send(["resolve", 1, 70])
    equal(await wire.answer(1), ["resolve", 1, 70])
