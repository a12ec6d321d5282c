"""What is used of aioquic's insides. Rule: nothing else here names anything private of it, and a test fails when a
release moves one of these.

aioquic has no way to ask how much of a stream has not arrived yet, doubles the window of a stream whenever half of it
has been used, and so lets a peer send without end, and says nothing of sessions in its settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from aioquic._buffer import Buffer
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import NetworkAddress, QuicConnection
from aioquic.quic.packet import QuicFrameType, pull_quic_header
from aioquic.quic.packet_builder import QuicPacketBuilder
from aioquic.quic.recovery import QuicPacketSpace
from aioquic.quic.stream import QuicStream

WINDOW: Final = 1024 * 1024
"""Bytes that a peer may send on a stream before they are taken."""
IDLE_TIMEOUT: Final = 60.0
"""Seconds without a packet after which a connection is lost that sends no pings."""
_MAX_SESSIONS: Final = 0x14E9CD29
"""Setting of draft-ietf-webtrans-http3 from version 8 on, which Safari asks for."""
_LIMIT_FRAME_BYTES: Final = 1 + 8 + 8


def configuration(*, is_client: bool, keepalive: float | None, server_name: str | None = None) -> QuicConfiguration:
    """Settings of a connection for HTTP/3 with WebTransport.

    Parameters:
        is_client: which end it is.
        keepalive: seconds between pings; a connection on which nothing has come for twice as long is lost. None sends
            none.
        server_name: of the server that a client asks for.
    """
    return QuicConfiguration(
        alpn_protocols=H3_ALPN,
        idle_timeout=IDLE_TIMEOUT if keepalive is None else 2 * keepalive,
        is_client=is_client,
        # Datagrams are not used, but have to be possible: https://datatracker.ietf.org/doc/html/rfc9297#section-2.1.1
        max_datagram_frame_size=65_536,
        max_data=WINDOW,
        max_stream_data=WINDOW,
        server_name=server_name,
    )


class Streams:
    """The streams of a connection: how much of them waits, and how much the peer may send. Their windows slide as what
    they bring is taken.

    Parameters:
        quic: the connection.
    """

    def __init__(self, quic: QuicConnection) -> None:
        self._quic = quic
        self._held: set[int] = set()
        vars(quic)["_write_stream_limits"] = self._write_limits  # aioquic's server makes the connections itself

    def hold(self, stream_id: int, holds: bool) -> None:
        """Leaves what the peer has to say on a stream with the peer, beyond a window, or no more.

        Parameters:
            stream_id: the stream.
            holds: whether it is to be left.
        """
        if holds:
            self._held.add(stream_id)
        else:
            self._held.discard(stream_id)

    def unsent(self, stream_id: int) -> int:
        """Bytes given to a stream that the peer has not acknowledged."""
        stream = self._quic._streams.get(stream_id)
        return 0 if stream is None else stream.sender._buffer_stop - stream.sender._buffer_start

    def address(self) -> tuple[str, int] | None:
        """Address and port of the peer."""
        paths = self._quic._network_paths
        return (str(paths[0].addr[0]), int(paths[0].addr[1])) if paths else None

    def _write_limits(self, *, builder: QuicPacketBuilder, space: QuicPacketSpace, stream: QuicStream) -> None:
        if stream.max_stream_data_local and stream.stream_id not in self._held:
            limit = stream.receiver.highest_offset + WINDOW
            if limit - stream.max_stream_data_local >= WINDOW // 2:  # else every packet would say a little more
                stream.max_stream_data_local = limit
        if stream.max_stream_data_local_sent != stream.max_stream_data_local:
            frame = builder.start_frame(
                QuicFrameType.MAX_STREAM_DATA,
                capacity=_LIMIT_FRAME_BYTES,
                handler=self._quic._on_max_stream_data_delivery,
                handler_args=(stream,),
            )
            frame.push_uint_var(cast(int, stream.stream_id))
            frame.push_uint_var(stream.max_stream_data_local)
            stream.max_stream_data_local_sent = stream.max_stream_data_local


class Http3(H3Connection):
    """HTTP/3 that says, as Safari wants to hear it, that it takes a session.

    Parameters:
        quic: the connection.
    """

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic, enable_webtransport=True)

    def _get_local_settings(self) -> dict[int, int]:
        return {**super()._get_local_settings(), _MAX_SESSIONS: 1}


class Protocol(QuicConnectionProtocol):
    """A connection on the event loop."""

    @property
    def quic(self) -> QuicConnection:
        """The connection."""
        return self._quic

    def datagram_received(self, data: bytes | str, addr: NetworkAddress) -> None:
        """Called by the loop. Whatever goes wrong in here is this connection's."""
        try:
            super().datagram_received(data, addr)
        except Exception as error:  # of a library: what a packet causes is never more than its connection
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """The connection cannot go on."""
        raise NotImplementedError

    def begin(self) -> None:
        """Begins the handshake with the peer that the socket is connected to."""
        assert self._transport is not None
        self.connect(self._transport.get_extra_info("peername"))

    def release(self) -> None:
        """Gives up the socket: the connection has ended, and its packets that are still to come interest nobody."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def send_soon(self) -> None:
        """Sends what waits in a later callback of the loop."""
        self._transmit_soon()


class NoRoom(Exception):
    """A connection is not taken: its packets are dropped."""


class Listener(QuicServer):
    """Takes connections on a socket, up to a bound; who comes beyond it is not answered.

    Parameters:
        settings: of each connection, with its certificate.
        accepted: makes what drives a connection, of which it is told where it comes from; may raise NoRoom.
        connections: the bound.

    Attributes:
        most: the bound.
    """

    def __init__(
        self,
        settings: QuicConfiguration,
        accepted: Callable[[QuicConnection, NetworkAddress], Protocol],
        connections: int,
    ) -> None:
        self._sender: NetworkAddress = ("", 0)  # of the packet at hand
        super().__init__(
            configuration=settings, create_protocol=lambda quic, **_: accepted(quic, self._sender), retry=True
        )
        self.most = connections
        self._released = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._released.set()

    async def release(self) -> None:
        """Closes the socket, and waits until that is done: another server may have its port then."""
        self.close()
        await self._released.wait()

    def datagram_received(self, data: bytes | str, addr: NetworkAddress) -> None:
        """Called by the loop."""
        # Mostly it is a packet of a connection that is known, and counting them is dearer than to look for one.
        if self._knows(data) or len(self.protocols) < self.most:
            self._sender = addr
            with suppress(NoRoom):
                super().datagram_received(data, addr)

    @property
    def protocols(self) -> set[QuicConnectionProtocol]:
        """What drives the connections that are open."""
        return {*self._protocols.values()}

    def _knows(self, data: bytes | str) -> bool:
        try:
            header = pull_quic_header(Buffer(data=cast(bytes, data)), self._configuration.connection_id_length)
        except ValueError:
            return False
        return header.destination_cid in self._protocols
