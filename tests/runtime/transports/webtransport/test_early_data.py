"""What a client says before the handshake, which anybody may say again who has seen it, is no request to our server."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from aioquic.asyncio.client import connect as connect_quic
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve as serve_quic
from aioquic.h3.connection import H3_ALPN
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import HandshakeCompleted, QuicEvent
from aioquic.tls import SessionTicket

from capnweb_runtime import Peer
from tests.runtime.transports.example_api import Example
from tests.runtime.transports.webtransport.raw_webtransport import RawWebTransport
from tests.runtime.transports.webtransport.test_sessions import certificate, serving, to


class Hasty(RawWebTransport):
    """A client that knows whether what it said early was taken.

    Attributes:
        taken: whether it was; None as long as that is not known.
        tickets: with which it may say something early the next time.
    """

    taken: bool | None = None

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.tickets: list[SessionTicket] = []

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, HandshakeCompleted):
            self.taken = event.early_data_accepted
        super().quic_event_received(event)


class Deaf(QuicConnectionProtocol):
    """A server's end that does nothing with what it takes."""

    def quic_event_received(self, event: QuicEvent) -> None:
        pass


@asynccontextmanager
async def hasty(port: int, ticket: SessionTicket | None = None) -> AsyncIterator[Hasty]:
    """A client that has asked for a session early, if it has a ticket for that."""
    given: list[SessionTicket] = []
    settings = QuicConfiguration(
        alpn_protocols=H3_ALPN,
        is_client=True,
        max_datagram_frame_size=65_536,
        verify_mode=ssl.CERT_NONE,
        session_ticket=ticket,
    )
    async with connect_quic(
        "127.0.0.1",
        port,
        configuration=settings,
        create_protocol=Hasty,
        session_ticket_handler=given.append,
        wait_connected=False,
    ) as connected:
        client = cast(Hasty, connected)
        client.tickets = given
        if ticket is not None:
            client.send_request("/")
        client.transmit()
        await client.until(lambda: client.taken is not None)
        yield client


@asynccontextmanager
async def careless() -> AsyncIterator[int]:
    """A server that takes what is said early, and has the certificate of ours."""
    kept: dict[bytes, SessionTicket] = {}
    settings = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False, max_datagram_frame_size=65_536)
    made = certificate().certificate
    settings.load_cert_chain(made.chain, made.key)
    server = await serve_quic(
        "127.0.0.1",
        0,
        configuration=settings,
        create_protocol=Deaf,
        session_ticket_fetcher=kept.get,
        session_ticket_handler=lambda ticket: kept.update({ticket.ticket: ticket}),
    )
    assert server._transport is not None
    yield int(server._transport.get_extra_info("sockname")[1])
    server.close()


async def test_it_begins_no_session_and_nobody_is_invited_to_say_it() -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Example:
        peers.append(peer)
        return Example()

    async with careless() as port:
        async with hasty(port) as client:
            [ticket] = await client.until(lambda: client.tickets)
        async with hasty(port, ticket) as client:
            assert client.taken
    async with serving(main, close_timeout=0.02) as server, hasty(server.port, ticket) as client:
        assert client.taken is False
        async with to(server.http_url) as api:  # whoever asks after the handshake
            assert await api.add(1, 2) == 3
        assert len(peers) == 1
        assert client.tickets == []
