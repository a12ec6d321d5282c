"""What is used of aioquic's insides is there, and does what is asked of it."""

from __future__ import annotations

import inspect

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3Connection, Setting
from aioquic.quic.connection import QuicConnection
from aioquic.quic.stream import QuicStreamReceiver, QuicStreamSender

from capnweb_runtime.transports.webtransport.quic import Http3, Streams, configuration

HINT = "aioquic has moved something that capnweb_runtime/transports/webtransport/quic.py uses"


def test_every_private_name_is_there() -> None:
    quic = QuicConnection(configuration=configuration(is_client=True, keepalive=20.0, server_name="localhost"))
    for name in ("_streams", "_network_paths", "_on_max_stream_data_delivery", "_write_stream_limits"):
        assert hasattr(quic, name), HINT
    assert [*inspect.signature(quic._write_stream_limits).parameters] == ["builder", "space", "stream"], HINT
    sender, receiver = QuicStreamSender(0, True), QuicStreamReceiver(0, True)
    sender.write(b"abc")
    assert (sender._buffer_start, sender._buffer_stop, receiver.highest_offset) == (0, 3, 0), HINT
    for cls, names in {
        QuicConnectionProtocol: ("_quic", "_transport", "_timer", "_transmit_soon"),
        QuicServer: ("_protocols", "_configuration"),
    }.items():
        source = inspect.getsource(cls)
        assert all(f"self.{name}" in source or f"def {name}" in source for name in names), HINT


def test_the_settings_say_what_browsers_ask_for() -> None:
    http = Http3(QuicConnection(configuration=configuration(is_client=True, keepalive=20.0, server_name="localhost")))
    sent = http.sent_settings
    assert sent is not None
    assert isinstance(http, H3Connection)
    wanted = (Setting.ENABLE_CONNECT_PROTOCOL, Setting.H3_DATAGRAM, 0x2B603742, 0x14E9CD29)
    assert [sent.get(name) for name in wanted] == [1, 1, 1, 1]


def test_what_was_given_to_a_stream_and_not_acknowledged_is_counted() -> None:
    quic = QuicConnection(configuration=configuration(is_client=True, keepalive=20.0, server_name="localhost"))
    streams = Streams(quic)
    assert streams.unsent(0) == 0
    quic.send_stream_data(0, b"x" * 1000)
    assert streams.unsent(0) == 1000
