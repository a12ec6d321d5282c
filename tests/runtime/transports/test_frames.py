"""The lean framing: what is cut out, what is left to the engine, and how much is copied on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol

from capnweb_runtime.transports.frames import BINARY, CLOSE, TEXT, FrameReader, frame, frames, head

LENGTHS = [0, 1, 124, 125, 126, 127, 4095, 4096, 65535, 65536, 70_000]
LIMIT = 100_000
both_ways = pytest.mark.parametrize("masked", [False, True], ids=["unmasked", "masked"])


def payload(length: int) -> bytes:
    return bytes(index % 251 for index in range(length))


def parsed(data: bytes, masked: bool) -> list[Frame]:
    """What the engine of `websockets` makes of our frames."""
    engine = Protocol(SERVER if masked else CLIENT, max_size=None)
    engine.receive_data(data)
    assert engine.parser_exc is None
    found: list[Frame] = []
    for event in engine.events_received():
        assert isinstance(event, Frame)
        found.append(event)
    return found


def cut(data: bytes, masked: bool, *places: int, limit: int = LIMIT) -> list[tuple[int, bytes]]:
    """The frames in data that arrives in pieces, the same whether a reader is asked for texts first or not."""
    found = fed(FrameReader(masked, limit), data, *places)
    reader = FrameReader(masked, limit)
    found_by_texts: list[tuple[int, bytes]] = []
    for start, stop in zip((0, *places), (*places, len(data)), strict=True):
        texts, taken = reader.texts(data[start:stop])
        assert all(type(text) is bytes for text in texts)
        found_by_texts += [(TEXT, text) for text in texts if isinstance(text, bytes)]
        found_by_texts += reader.feed(data[start:stop], taken)
    assert found_by_texts == found
    return found


def fed(reader: FrameReader, data: bytes, *places: int) -> list[tuple[int, bytes]]:
    """What a reader finds in data that arrives in pieces."""
    found: list[tuple[int, bytes]] = []
    for start, stop in zip((0, *places), (*places, len(data)), strict=True):
        found += reader.feed(data[start:stop])
    return found


class TestOut:
    @both_ways
    @pytest.mark.parametrize("length", LENGTHS)
    def test_a_frame_of_every_length_is_what_the_engine_reads(self, length: int, masked: bool) -> None:
        for first, opcode in ((TEXT, Opcode.TEXT), (BINARY, Opcode.BINARY)):
            assert parsed(frame(first, payload(length), masked), masked) == [Frame(opcode, payload(length))]

    @both_ways
    @pytest.mark.parametrize("length", LENGTHS)
    def test_messages_are_text_frames(self, length: int, masked: bool) -> None:
        sent = b"".join(frames([payload(length), b"second"], masked))
        assert parsed(sent, masked) == [Frame(Opcode.TEXT, payload(length)), Frame(Opcode.TEXT, b"second")]

    @both_ways
    @pytest.mark.parametrize("length", LENGTHS)
    def test_attachments_are_binary_frames_before_their_text(self, length: int, masked: bool) -> None:
        sent = b"".join(frames([b"before", (b"text", payload(length), b"other"), b"after"], masked))
        assert parsed(sent, masked) == [
            Frame(Opcode.TEXT, b"before"),
            Frame(Opcode.BINARY, payload(length)),
            Frame(Opcode.BINARY, b"other"),
            Frame(Opcode.TEXT, b"text"),
            Frame(Opcode.TEXT, b"after"),
        ]

    def test_a_large_attachment_is_not_copied_where_no_mask_needs_it(self) -> None:
        data = payload(70_000)
        pieces = frames([b"before", (b"text", data), b"after"], masked=False)
        assert [piece is data for piece in pieces] == [False, True, False]

    def test_nor_is_a_large_text(self) -> None:
        text = payload(70_000)
        pieces = frames([b"before", text, (b"short", text), text], masked=False)
        assert [piece is text for piece in pieces] == [False, True, False, True, False, True]

    def test_small_messages_are_one_piece(self) -> None:
        assert len(frames([b"a", (b"b", b"attached"), b"c"], masked=True)) == 1

    def test_each_masked_frame_has_a_key_of_its_own(self) -> None:
        sent = b"".join(frames([(b"text", bytes(8)), *[bytes(8)] * 20], masked=True))
        keys = {sent[start + 2 : start + 6] for start in (0, *range(14 + 10, len(sent), 14))}
        assert len(keys) > 15

    @pytest.mark.parametrize(
        ("length", "expected"),
        [
            (0, b"\x88\x00"),
            (125, b"\x88\x7d"),
            (126, b"\x88\x7e\x00\x7e"),
            (65535, b"\x88\x7e\xff\xff"),
            (65536, b"\x88\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        ],
    )
    def test_heads_are_minimal(self, length: int, expected: bytes) -> None:
        assert head(CLOSE, length) == expected
        assert head(CLOSE, length, 0x80) == expected[:1] + bytes((expected[1] | 0x80,)) + expected[2:]


class TestIn:
    @both_ways
    @pytest.mark.parametrize("length", LENGTHS)
    def test_whole_data_frames_are_cut_out(self, length: int, masked: bool) -> None:
        data = frame(TEXT, payload(length), masked) + frame(BINARY, payload(length), masked)
        assert cut(data, masked) == [(TEXT, payload(length)), (BINARY, payload(length))]

    @both_ways
    @pytest.mark.parametrize("length", [0, 1, 125, 126, 300])
    def test_two_frames_may_arrive_in_two_pieces_cut_anywhere(self, length: int, masked: bool) -> None:
        data = frame(TEXT, payload(length), masked) + frame(BINARY, b"next", masked)
        for place in range(len(data) + 1):
            assert cut(data, masked, place) == [(TEXT, payload(length)), (BINARY, b"next")]

    @both_ways
    @pytest.mark.parametrize("length", [0, 125, 126, 65536])
    def test_frames_may_arrive_byte_by_byte(self, length: int, masked: bool) -> None:
        data = frame(TEXT, payload(length), masked) + frame(TEXT, b"next", masked)
        assert cut(data, masked, *range(1, len(data))) == [(TEXT, payload(length)), (TEXT, b"next")]

    @both_ways
    @pytest.mark.parametrize("position", ["start", "head", "payload"])
    def test_the_end_of_one_frame_may_arrive_with_many_others(self, position: str, masked: bool) -> None:
        data = frame(BINARY, payload(65536), masked) + b"".join(frame(TEXT, b"%d" % n, masked) for n in range(50))
        place = {"start": 1, "head": 5, "payload": 30_000}[position]
        expected = [(BINARY, payload(65536)), *[(TEXT, b"%d" % n) for n in range(50)]]
        assert cut(data, masked, place, len(data) - 1) == expected

    @both_ways
    def test_nothing_yields_nothing(self, masked: bool) -> None:
        reader = FrameReader(masked, LIMIT)
        assert reader.feed(b"") == []
        assert reader.feed(frame(TEXT, b"a", masked)[:1]) == []
        assert reader.feed(b"") == []

    @both_ways
    def test_payloads_are_bytes_however_they_arrive(self, masked: bool) -> None:
        for length in (3, 5000):
            data = frame(TEXT, payload(length), masked) + frame(0x89, b"ping", masked)
            for places in ((), (1,), (len(data) - 12,), (len(data) - 2,)):
                assert {type(found) for _, found in cut(data, masked, *places)} == {bytes}

    @both_ways
    def test_lengths_that_could_be_shorter_are_taken(self, masked: bool) -> None:
        mask, key = (0x80, bytes(4)) if masked else (0, b"")
        for coded in (bytes((mask | 126, 0, 3)), bytes((mask | 127, *bytes(7), 3))):
            data = bytes((TEXT,)) + coded + key + b"abc"
            assert cut(data, masked) == [(TEXT, b"abc")]
            assert cut(data, masked, *range(1, len(data))) == [(TEXT, b"abc")]

    @both_ways
    @pytest.mark.parametrize("first", [0x89, 0x8A, 0x09, 0x0A, 0x80])
    def test_what_is_no_data_frame_is_left_to_the_engine_whole(self, first: int, masked: bool) -> None:
        other = frame(first, payload(200), masked)
        data = frame(TEXT, b"a", masked) + other + frame(TEXT, b"b", masked)
        for place in range(len(data) + 1):
            assert cut(data, masked, place) == [(TEXT, b"a"), (0, other), (TEXT, b"b")]

    @both_ways
    def test_a_message_in_fragments_is_left_to_the_engine(self, masked: bool) -> None:
        parts = [frame(first, b"part", masked) for first in (0x01, 0x89, 0x00, 0x8A, 0x80)]
        data = b"".join(parts) + frame(TEXT, b"whole", masked)
        assert cut(data, masked) == [*[(0, part) for part in parts], (TEXT, b"whole")]
        assert cut(data, masked, *range(1, len(data))) == [*[(0, part) for part in parts], (TEXT, b"whole")]

    @both_ways
    def test_a_whole_frame_amid_fragments_is_left_to_the_engine_to_refuse(self, masked: bool) -> None:
        parts = [frame(first, b"part", masked) for first in (0x01, TEXT)]
        assert cut(b"".join(parts), masked) == [(0, part) for part in parts]

    @both_ways
    @pytest.mark.parametrize("first", [0x83, 0x87, 0x8B, 0x8F, 0xC1, 0xA1, 0x91, 0xC9, CLOSE, 0x08])
    def test_from_a_broken_or_last_frame_on_all_is_left_to_the_engine(self, first: int, masked: bool) -> None:
        last = frame(first, b"\x03\xe8", masked) + frame(TEXT, b"ignored", masked)
        data = frame(TEXT, b"a", masked) + last
        assert cut(data, masked) == [(TEXT, b"a"), (0, last)]
        pieces = cut(data, masked, *range(1, len(data)))
        assert pieces[0] == (TEXT, b"a")
        assert b"".join(piece for _, piece in pieces[1:]) == last

    @both_ways
    @pytest.mark.parametrize("first", [0x03, 0x83, 0xC1, CLOSE])
    def test_the_length_of_a_broken_frame_is_not_waited_for(self, first: int, masked: bool) -> None:
        begun = bytes((first, 0xFE if masked else 0x7E))
        assert cut(begun, masked) == [(0, begun)]

    @both_ways
    def test_a_wrong_mask_is_left_to_the_engine(self, masked: bool) -> None:
        data = frame(TEXT, payload(200), not masked)
        assert cut(data, masked) == [(0, data)]
        assert cut(data, masked, 2)[0] == (0, data[:2])

    @both_ways
    def test_a_frame_beyond_the_limit_is_not_waited_for(self, masked: bool) -> None:
        assert cut(frame(TEXT, payload(300), masked), masked, limit=300) == [(TEXT, payload(300))]
        begun = frame(TEXT, payload(301), masked)[:10]
        assert cut(begun, masked, limit=300) == [(0, begun)]
        assert cut(begun, masked, 1, 3, limit=300)[0][0] == 0

    @both_ways
    def test_the_longest_length_there_is_is_not_waited_for(self, masked: bool) -> None:
        begun = bytes((TEXT, 0xFF if masked else 0x7F)) + b"\xff" * 8
        assert cut(begun, masked) == [(0, begun)]

    @both_ways
    def test_short_texts_in_front_are_taken_at_once(self, masked: bool) -> None:
        short = b"".join(frames([b"", b"a", payload(125)], masked))
        for behind in (
            b"",
            frame(TEXT, payload(126), masked),
            frame(BINARY, b"b", masked),
            frame(TEXT, b"c", masked)[:-1],
        ):
            assert FrameReader(masked, LIMIT).texts(short + behind) == ([b"", b"a", payload(125)], len(short))
        assert FrameReader(masked, 3).texts(short) == ([b"", b"a"], len(short) - len(frame(TEXT, payload(125), masked)))

    @given(st.lists(st.binary(max_size=300), max_size=8), st.booleans(), st.data())
    def test_pieces_do_not_matter(self, payloads: list[bytes], masked: bool, data: st.DataObject) -> None:
        sent = b"".join(frames(list(payloads), masked))
        places = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=10)))
        assert cut(sent, masked, *places) == [(TEXT, one) for one in payloads]


class TestCopies:
    """A frame that arrives in n pieces is looked at a few times, not n times, and each byte of it waits once."""

    @pytest.fixture
    def looks(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many bytes the reader had before it, each time that it looked for frames."""
        lengths: list[int] = []
        look = FrameReader._cut

        def counted(self: FrameReader, data: bytes | bytearray, position: int, found: list[tuple[int, bytes]]) -> int:
            lengths.append(len(data) - position)
            return look(self, data, position, found)

        monkeypatch.setattr(FrameReader, "_cut", counted)
        return lengths

    @both_ways
    def test_a_frame_in_many_pieces_is_not_looked_at_again_with_each(self, masked: bool, looks: list[int]) -> None:
        data = frame(BINARY, payload(65536), masked)
        assert fed(FrameReader(masked, LIMIT), data, *range(1, len(data), 16)) == [(BINARY, payload(65536))]
        assert len(looks) <= 4
        assert sum(length for length in looks if length < len(data)) < 64

    @both_ways
    def test_what_follows_a_frame_that_waited_is_not_put_behind_it(self, masked: bool, looks: list[int]) -> None:
        data = frame(BINARY, payload(1000), masked)
        assert len(fed(FrameReader(masked, LIMIT), data * 51, 600)) == 51
        assert looks == [600, len(data), 50 * len(data)]
