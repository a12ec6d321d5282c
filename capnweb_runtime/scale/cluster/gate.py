"""The port at which workers meet. Rule: who comes in proves first that it is one of ours; until then it is told
nothing, reaches nothing, and has a few seconds; whoever fails is refused, with a line in the log that says what to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from capnweb_runtime.core.codecs import INT, STR
from capnweb_runtime.core.compound import ListCodec
from capnweb_runtime.core.interface import Interface, method, param
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import RpcError
from capnweb_runtime.objects.any_stub import ANY_CAPABILITY
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.scale.cluster.objects import OwnedObject
from capnweb_runtime.scale.cluster.owner import ID, Key
from capnweb_runtime.scale.cluster.proof import Meeting, new_nonce
from capnweb_runtime.scale.cluster.renewals import logger
from capnweb_runtime.serving.peer import Peer, Refuse

NOT_HERE: Final = "NotOwner"
"""Type of the error of a worker that is asked for what it does not own."""
_STRANGERS: Final = 64
"""Sessions that have proven nothing yet."""
HELLO_SECONDS: Final = 5.0
"""Seconds for the proof."""
_SAY_AGAIN: Final = 1.0
"""Seconds between two lines of the log about strangers."""
_NONCE: Final = re.compile(r"[0-9a-f]{32}")
_TOLD: Final = "This is the port at which the workers of an application meet, and you are none of them."


class ClusterGateSpec(Interface):
    """What a worker offers to the others."""

    hello = method("hello", ListCodec(STR), param("worker", STR), param("nonce", STR))
    enter = method("enter", STR, param("proof", STR, secret=True))
    get = method("get", ANY_CAPABILITY, param("kind", STR), param("name", STR), param("fence", INT))


class Gates:
    """The sessions of other workers.

    Parameters:
        worker: id of this one.
        secret: what all know; None where certificates say who is who.
        find: gives an object of this worker; raises LookupError for any other.

    Attributes:
        url: where this worker is reached.
        entered: sessions of workers that have proven who they are.
        refused: how many have been refused.
    """

    def __init__(self, worker: str, secret: bytes | None, find: Callable[[Key, int], Awaitable[OwnedObject]]) -> None:
        self.worker = worker
        self.secret = secret
        self.find = find
        self.url = ""
        self.entered = 0
        self.refused = 0
        self._strangers = 0
        self._said = -_SAY_AGAIN  # when a refusal was logged last
        self._unsaid = 0  # refusals since

    def admit(self, peer: Peer) -> RpcTarget:
        """The main object of a new session. Raises Refuse where too many have proven nothing yet."""
        if self._strangers >= _STRANGERS:
            self.refused += 1
            raise Refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many are at the gate.", {"Retry-After": "1"})
        assert peer.connection is not None
        return _Gate(self, peer, peer.connection)

    def refuse(self, peer: Peer, why: str) -> None:
        """Counts a refusal, and logs it, unless one has just been logged: strangers may come as often as they like."""
        self.refused += 1
        now = asyncio.get_running_loop().time()
        if now - self._said < _SAY_AGAIN:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more were refused since the last line)" if self._unsaid else ""
        self._said, self._unsaid = now, 0
        logger.warning("refused %s at the port of the workers: %s%s", peer, why, more)

    def came(self, by: int) -> None:
        """One more has proven nothing yet, or one less."""
        self._strangers += by


class _Gate(RpcTarget, spec=ClusterGateSpec):
    """One session of another worker, or of a stranger."""

    def __init__(self, gates: Gates, peer: Peer, connection: Connection) -> None:
        self._gates = gates
        self._peer = peer
        self._connection = connection
        self._meeting: Meeting | None = None
        self._entered = False
        self._timer = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._late)
        gates.came(1)

    def hello(self, worker: str, nonce: str) -> list[str]:
        """Another worker says who it is, and gets the id of this one and what to prove itself with."""
        if self._meeting is not None or not (ID.fullmatch(worker) and _NONCE.fullmatch(nonce)):
            raise self._refused("it does not say hello as our workers do: see what connects there")
        gates = self._gates
        self._meeting = Meeting(gates.url, worker, gates.worker, nonce, new_nonce())
        return [gates.worker, self._meeting.answered]

    def enter(self, proof: str) -> str:
        """It proves to know the secret, and this one does."""
        meeting, secret = self._meeting, self._gates.secret
        if meeting is None or self._entered or not meeting.is_proven(secret, "caller", proof):
            raise self._refused(
                "it does not know our secret, or has another address for this worker: give every worker the same "
                "secret=, and see that each has an advertise= at which it alone is reached; if it is none of our "
                "workers, see who can reach this port"
            )
        if secret is None and self._peer.certificate is None:
            raise self._refused("it has shown no certificate: give every worker client_ssl=")
        self._entered = True
        self._gates.entered += 1
        self._known()
        return meeting.proof(secret, "host")

    async def get(self, kind: str, name: str, fence: int) -> Exportable:
        """An object of this worker."""
        if not self._entered:
            raise self._refused("it has asked for an object before it has said who it is: see what connects there")
        try:
            owned = await self._gates.find(Key(kind, name), fence)
        except LookupError as error:
            raise RpcError(str(error), NOT_HERE) from None
        return owned.given_to(self._connection)

    def dispose(self) -> None:
        """The session has ended."""
        self._known()
        if self._entered:
            self._gates.entered -= 1

    def _known(self) -> None:
        if not self._timer.cancelled():
            self._timer.cancel()
            self._gates.came(-1)

    def _late(self) -> None:
        if not self._entered and not self._timer.cancelled():
            self._refused(f"it has not said who it is within {HELLO_SECONDS:g} seconds")

    def _refused(self, why: str) -> RpcError:
        """Ends the session, and gives the error that it is told."""
        error = RpcError(_TOLD, "NotAWorker")
        self._gates.refuse(self._peer, why)
        asyncio.get_running_loop().call_soon(self._connection.abort, error)
        return error
