"""`python -m examples.backend.socketio`: two clients of Socket.IO and one of RPC in one application."""

from __future__ import annotations

import logging

from capnweb_runtime import RpcError, connect
from examples.backend.socketio.client import Listener, listening
from examples.backend.socketio.generated.rooms import RoomsStub
from examples.backend.socketio.schemas.rooms import Message
from examples.backend.socketio.server import running
from examples.form.report import Report
from examples.form.running import run


async def socketio(report: Report) -> None:
    """Everything that the README claims."""
    logging.getLogger("examples.backend.socketio.events").setLevel(
        logging.CRITICAL
    )  # what fails here, fails on purpose
    async with (
        running(0) as url,
        listening(url, "lobby") as ada,
        listening(url, "lobby") as bob,
        connect(f"{url.replace('http', 'ws', 1)}/rpc", RoomsStub) as api,
    ):
        await both_ways(report, api, ada, bob)
        await mistakes(report, api, ada)


async def both_ways(report: Report, api: RoomsStub, ada: Listener, bob: Listener) -> None:
    """What comes by one protocol is told over the other."""
    report.section("One board, two protocols")
    report.check("messages after one by RPC", await api.post(Message(room="lobby", text="by RPC")), 1)
    told = [await ada.next(), await bob.next()]
    expected = [("posted", {"room": "lobby", "text": "by RPC"})] * 2
    report.check("both clients of Socket.IO are told of it", told == expected)
    report.check("messages after one by event", await ada.ask("post", {"room": "lobby", "text": "by event"}), 2)
    report.check("what RPC reads", await api.messages("lobby"), ["by RPC", "by event"])
    told = [await ada.next(), await bob.next()]
    report.check("both are told of that one, too", [event for event, _ in told], ["posted", "posted"])


async def mistakes(report: Report, api: RoomsStub, ada: Listener) -> None:
    """What is wrong is told to whoever sent it, in one form, and nobody waits for ever."""
    report.section("What bad input gets")
    await ada.ask("post", {"room": "lobby", "text": 7})
    event, failure = await ada.next()
    report.check("a number for a text, by event", (event, failure["code"]), ("error", "invalid"))
    report.say(failure["message"])
    await ada.ask("post", {"room": "attic", "text": "is anybody there?"})
    event, failure = await ada.next()
    report.check("a handler that raises", (event, failure["code"]), ("error", "failed"))
    report.check("what it raised is kept back", "database" not in failure["message"])
    hidden = await report.refused("the same by RPC", api.post(Message(room="attic", text="hello?")), RpcError)
    report.check("... is kept back, too", "database" not in str(hidden))
    report.check("the connection goes on", await ada.ask("post", {"room": "lobby", "text": "still here"}), 3)


if __name__ == "__main__":
    run("socketio", socketio)
