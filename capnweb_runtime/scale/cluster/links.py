"""Sessions with other workers. Rule: one for all that this worker has of another, made when it is needed; it ends for
good when it is lost, and what came through it with it.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.connecting.reconnect import Connected, Reconnect
from capnweb_runtime.errors import ConnectionRefused, PeerAborted, RpcError, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.observe import Observer
from capnweb_runtime.scale.cluster.once import Once
from capnweb_runtime.scale.cluster.owner import Owner
from capnweb_runtime.scale.cluster.proof import Meeting, new_nonce
from capnweb_runtime.scale.cluster.renewals import logger

if TYPE_CHECKING:
    from capnweb_runtime.connecting.reconnecting import Reconnecting
    from capnweb_runtime.driving.interceptors import Interceptor


@dataclass(frozen=True)
class LinkSettings:
    """What sessions with other workers are like.

    Attributes:
        worker: id of this one.
        secret: what all know; None where certificates say who is who.
        ssl: settings of TLS; None means the system's defaults.
        limits: bounds of each.
        observer: is told of failures.
        interceptors: what calls pass.
        patience: seconds that a worker has to answer; and of silence after which it is asked whether it is there, as
            well as those that it has to answer then.
    """

    worker: str
    secret: bytes | None = field(repr=False)
    ssl: ssl_module.SSLContext | None
    limits: Limits
    observer: Observer | None
    interceptors: Sequence[Interceptor]
    patience: float


class AnotherWorker(Exception):
    """What answers is not the worker that was meant, which is gone."""


class _Link:
    """A session with another worker."""

    def __init__(self, client: Reconnecting[AnyStub], gate: AnyStub) -> None:
        self.client = client
        self.gate = gate


class Links:
    """The sessions of this worker with others.

    Parameters:
        settings: of each.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._links: dict[str, _Link] = {}  # by the other worker's id
        self._opening: Once[str, _Link] = Once()

    def __len__(self) -> int:
        return len(self._links)

    async def to(self, owner: Owner) -> AnyStub:
        """The gate of another worker, which stays this object's.

        Raises:
            ConnectionRefused: the two do not trust each other.
            SessionClosed: it is not reached.
            AnotherWorker: another one answers in its place.
        """
        link = self._links.get(owner.worker)
        if link is None or link.client.state == "closed":
            link = await self._opening.of(owner.worker, partial(self._open, owner))
        return link.gate

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Ends all of them, when calls in progress have been answered or the time is over."""
        self._opening.cancel()
        links, self._links = self._links, {}
        await asyncio.gather(*(link.client.drain(timeout) for link in links.values()))

    async def _open(self, owner: Owner) -> _Link:
        settings = self._settings
        client = connect(
            owner.url,
            AnyStub,
            ssl=settings.ssl if owner.url.startswith("wss") else None,
            limits=settings.limits,
            observer=settings.observer,
            open_timeout=settings.patience,
            keepalive=settings.patience,
            close_timeout=settings.patience,
            interceptors=settings.interceptors,
            reconnect=Reconnect(
                give_up=lambda _: True,
                on_connect=partial(self._introduce, owner),
                on_disconnect=lambda _: self._lost(owner.worker, client),
            ),
        )
        try:
            gate = await client
        except (PeerAborted, RpcError) as error:
            raise self._distrusted(owner, "it does not take us for one of its workers") from error
        link = self._links[owner.worker] = _Link(client, gate)
        return link

    def _lost(self, worker: str, client: Reconnecting[AnyStub]) -> None:
        link = self._links.get(worker)
        if link is not None and link.client is client:
            del self._links[worker]

    async def _introduce(self, owner: Owner, gate: AnyStub, _: Connected) -> None:
        """Both sides prove who they are."""
        settings = self._settings
        asked = new_nonce()
        async with asyncio.timeout(settings.patience):
            said: Any = await gate.call("hello", settings.worker, asked)
            if not (isinstance(said, list) and len(said) == 2 and all(isinstance(text, str) for text in said)):
                raise self._distrusted(owner, "what answers there is no worker")
            if said[0] != owner.worker:
                raise AnotherWorker(f"at {owner.url} answers a worker that was started later")
            meeting = Meeting(owner.url, settings.worker, owner.worker, asked, said[1])
            proof: Any = await gate.call("enter", meeting.proof(settings.secret, "caller"))
        if not meeting.is_proven(settings.secret, "host", proof):
            raise self._distrusted(owner, "it does not know our secret")

    def _distrusted(self, owner: Owner, why: str) -> SessionClosed:
        message = (
            f"the worker at {owner.url} is not trusted: {why}; give every worker the same secret=, and see that each "
            "has an advertise= at which it alone is reached"
        )
        logger.warning("%s", message)
        return ConnectionRefused.at(owner.url, message)
