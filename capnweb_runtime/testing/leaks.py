"""Whether everything has been given back. Rule: what is on its way is waited for, and what is held then is named, with
the line that made it where that is known.
"""

from __future__ import annotations

import asyncio
import gc
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final, Protocol

from capnweb_runtime.debugging.capabilities import Capability
from capnweb_runtime.debugging.names import interface_of_stub
from capnweb_runtime.debugging.settings import Debug, Sampling, mode_of
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.objects.stub import DROPPED, RpcStub

_PATIENCE: Final = 5.0
"""Seconds for which messages of sessions in this process are waited for that are on their way."""
_QUIET: Final = 20
"""Turns of the loop in which nothing moves, after which nothing will."""


class Ends(ABC):
    """Sessions both ends of which are in this process.

    Parameters:
        no_leaks: whether leaving them demands that nothing is held any more, and that every stub was disposed.
    """

    def __init__(self, no_leaks: bool) -> None:
        self._no_leaks = no_leaks
        self._dropped: list[str] = []

    @abstractmethod
    def _pairs(self) -> list[tuple[Connection, Connection]]:
        """The client's and the server's end of each session. Raises RuntimeError before there is any."""

    def _begun(self) -> None:
        """There are sessions now."""
        if self._no_leaks:
            DROPPED.append(self._note)

    async def _search(self, kind: type[BaseException] | None) -> None:
        """Looks for leaks before the sessions end, unless something has failed already.

        Raises:
            AssertionError: there are some.
        """
        __tracebackhide__ = True
        if self._no_leaks and kind is None:
            await assert_no_leaks(self)

    def _over(self) -> None:
        """The sessions end: what is dropped from now on was let go with them."""
        if self._note in DROPPED:
            DROPPED.remove(self._note)

    def _note(self, stub: RpcStub) -> None:
        """A stub was dropped, of these sessions or of others."""
        sender = getattr(getattr(stub._hook, "entry", None), "sender", None)
        for ends in self._pairs():
            for name, end in zip(("the client", "the server"), ends, strict=True):
                if end.session is sender:
                    made = stub._hook.made
                    what = _named("an object", interface_of_stub(type(stub)), "" if made is None else made.member)
                    place = "" if made is None or made.place is None else ", made at {}:{}".format(*made.place)
                    self._dropped.append(f"{name} has dropped {what} without dispose(){place}")


class Holding(Protocol):
    """What tells what a session holds: what `connect` and `pair` give, a `Peer`."""

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """See `Connection.capabilities`."""
        ...


async def assert_no_leaks(session: Ends | Holding) -> None:
    """Checks that neither side of a session holds anything of the other except the main objects: every stub has been
    disposed, and every call has been awaited or given up. It first waits until all messages have arrived.

    Promises that were merely dropped count as given up. So do dropped stubs, for which there is a ResourceWarning,
    except if the session was made with `no_leaks=True`.

    Parameters:
        session: what `pair`, `serve_local` or `connect` has returned. With `connect` this cannot wait for the server.

    Raises:
        AssertionError: something is held. The text names each thing and, in debug mode or with `no_leaks=True`, the
            line that made it.
    """
    __tracebackhide__ = True  # for pytest, which then shows the line of the test
    gc.collect()
    if isinstance(session, Ends):
        await _settled(session)
        held = [line for client, server in session._pairs() for line in _held_by_both(client, server)]
        held += session._dropped
    else:
        for _ in range(_QUIET):
            await asyncio.sleep(0)
        held = [_line(one, "this side", "the other side") for one in session.capabilities() if one.kind != "main"]
    if held:
        raise AssertionError(_told(held))


def places_known() -> Debug:
    """How much of a session is to be watched, so that what it holds has the line that made it: all calls, but nothing
    is logged, unless the environment asks for debug mode.
    """
    return mode_of(None) is True or Sampling(every=1)


async def _settled(session: Ends) -> None:
    """Waits until every message has arrived, and nothing more comes of it."""
    quiet = 0
    before: object = None
    end = asyncio.get_running_loop().time() + _PATIENCE
    while quiet < _QUIET and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0)
        pairs = session._pairs()
        now = [(*client.stats(), *server.stats()) for client, server in pairs]
        moving = now != before or any(_on_the_way(*pair) for pair in pairs)
        quiet, before = (0 if moving else quiet + 1), now


def _on_the_way(client: Connection, server: Connection) -> bool:
    if client.session.closed or server.session.closed:
        return False
    up, down = client.stats(), server.stats()
    return up.messages_sent != down.messages_received or down.messages_sent != up.messages_received


def _held_by_both(client: Connection, server: Connection) -> Iterator[str]:
    """What is on the tables of both ends, once for each thing: as the client has it, where a test is."""
    theirs = {(one.direction, one.id): one for one in server.capabilities()}
    for one in client.capabilities():
        if one.kind != "main":
            yield _line(one, "the client", "the server")
        theirs.pop(("export" if one.direction == "import" else "import", one.id), None)
    for one in theirs.values():
        if one.kind != "main":
            yield _line(one, "the server", "the client")


def _line(one: Capability, own: str, other: str) -> str:
    holder = own if one.direction == "import" else other
    place = f", made at {one.place}" if one.place else ""
    what = _named(_KINDS[one.kind], one.name, one.member)
    return f"{holder} holds {what} ({one.direction} {one.id} of {own}){place}"


def _named(kind: str, name: str, member: str) -> str:
    return f"{kind}{name and f' {name}'}{member and f' of {member}'}"


_KINDS: Final = {
    "object": "an object",
    "function": "a function",
    "stream": "a stream",
    "promise": "a promise",
    "main": "",
}


def _told(held: list[str]) -> str:
    lines = "".join(f"\n  {line}" for line in held)
    hint = "dispose each stub, or use it with `async with`; await each call, or dispose its promise"
    return f"{len(held)} reference{'s were' if len(held) > 1 else ' was'} not given back:{lines}\n{hint}"
