"""Whatever a peer sends, in whatever pieces: our end does what the engine of `websockets` does by itself."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.transports.raw_websocket import ours, raw_frame, stock

MAX_SIZE = 400
TEXT, BINARY, CONT, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
FIN = 0x80

sizes = st.sampled_from([0, 1, 5, 124, 125, 126, 127, 200, 300, MAX_SIZE, MAX_SIZE + 1])
payloads = st.binary(max_size=20) | sizes.map(bytes) | st.sampled_from([b'["x"]', b"\xff", "é".encode()[:1]])
codes = st.sampled_from([0, 999, 1000, 1001, 1004, 1005, 1006, 1007, 1011, 1015, 1016, 2999, 3000, 4999, 5000, 65535])
reasons = st.sampled_from([b"", b"bye", "é".encode(), b"\xff", b"x" * 123, b"x" * 124])
closes = st.builds(lambda code, reason: code.to_bytes(2, "big") + reason, codes, reasons) | st.binary(max_size=3)


@st.composite
def _any_frames(draw: st.DrawFn, masked: bool) -> bytes:
    """A frame of any kind, right or wrong."""
    first = draw(st.integers(0, 255))
    data = draw(payloads)
    length = None
    if draw(st.booleans()):  # not the shortest code, or another length altogether
        coded = draw(st.sampled_from([len(data), len(data) + 1, 2**16 - 1]))
        length = draw(
            st.sampled_from([b"\x7e" + (coded % 2**16).to_bytes(2, "big"), b"\x7f" + coded.to_bytes(8, "big")])
        )
    right = draw(st.sampled_from([True, True, True, False]))
    return raw_frame(first, data, masked=masked == right, length=length)


@st.composite
def _messages(draw: st.DrawFn, masked: bool) -> bytes:
    """A message, whole or in fragments with control frames between them."""
    kind = draw(st.sampled_from([TEXT, TEXT, TEXT, BINARY]))
    parts = draw(st.lists(payloads, min_size=1, max_size=4))
    frames: list[bytes] = []
    for index, part in enumerate(parts):
        first = (kind if index == 0 else CONT) | (FIN if index == len(parts) - 1 else 0)
        frames.append(raw_frame(first, part, masked=masked))
        if draw(st.booleans()):
            frames.append(draw(_controls(masked)))
    return b"".join(frames)


@st.composite
def _controls(draw: st.DrawFn, masked: bool) -> bytes:
    kind = draw(st.sampled_from([PING, PING, PONG]))
    return raw_frame(FIN | kind, draw(st.binary(max_size=125) | sizes.map(bytes)), masked=masked)


@st.composite
def _conversations(draw: st.DrawFn) -> tuple[bool, bytes, list[bytes]]:
    """Which end we are, what its peer sends, and the pieces in which it arrives."""
    server = draw(st.booleans())
    whole = st.sampled_from([b'["a"]', b"b" * 130, b"c" * 399, b""]).map(
        lambda text: raw_frame(FIN | TEXT, text, masked=server)
    )
    right = whole | _messages(server) | _controls(server)
    kinds = right | right | _any_frames(server)
    closing = closes.map(lambda close: raw_frame(FIN | CLOSE, close, masked=server))
    frames = draw(st.lists(kinds | closing, max_size=8))
    data = b"".join(frames) + draw(st.binary(max_size=4))
    places = sorted(draw(st.lists(st.integers(0, min(len(data), 2000)), max_size=8)))
    pieces = [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]
    return server, data, pieces


@st.composite
def _attached(draw: st.DrawFn) -> tuple[bool, list[bytes | tuple[bytes, ...]], list[bytes]]:
    """Which end we are, texts with attachments, and the pieces in which they arrive, cut into frames by whoever is in
    between, with pings amid them.
    """
    server = draw(st.booleans())
    parts = st.binary(max_size=40) | st.sampled_from([bytes(130), bytes(200)])
    messages = draw(st.lists(st.tuples(parts, st.lists(parts, max_size=2)), max_size=5))
    sent = bytearray()
    for text, attachments in messages:
        for kind, payload in [*((BINARY, one) for one in attachments), (TEXT, text)]:
            stop = draw(st.sampled_from([len(payload), len(payload) // 2]))
            pieces = [payload[:stop], payload[stop:]] if stop < len(payload) else [payload]
            for index, piece in enumerate(pieces):
                first = (kind if index == 0 else CONT) | (FIN if index == len(pieces) - 1 else 0)
                sent += raw_frame(first, piece, masked=server)
                sent += draw(st.sampled_from([b"", raw_frame(FIN | PING, b"", masked=server)]))
    places = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    arriving = [bytes(sent[start:stop]) for start, stop in zip([0, *places], [*places, len(sent)], strict=True)]
    return server, [(text, *attachments) if attachments else text for text, attachments in messages], arriving


@settings(max_examples=300)
@given(_attached())
def test_attachments_stay_with_their_text_however_they_arrive(
    conversation: tuple[bool, list[bytes | tuple[bytes, ...]], list[bytes]],
) -> None:
    server, messages, pieces = conversation
    with asyncio.Runner() as runner:
        seen = runner.run(ours(pieces, server=server, max_size=1000, agreed=True))
    assert (seen.messages, seen.ended) == (messages, None)


@settings(max_examples=600)
@given(_conversations())
def test_what_a_peer_sends_is_taken_as_the_engine_takes_it(conversation: tuple[bool, bytes, list[bytes]]) -> None:
    server, data, pieces = conversation
    with asyncio.Runner() as runner:
        seen = runner.run(ours(pieces, server=server, max_size=MAX_SIZE))
    assert seen == stock(data, server=server, max_size=MAX_SIZE)
