"""The cases of the Autobahn testsuite that concern us, by its sections, for both ends and for every cut.

1 framing, 2 pings and pongs, 3 reserved bits, 4 opcodes, 5 fragmentation, 7 closing and 10 fragmentation by the sender
are tables of what is sent and what has to come of it. 6 (UTF-8) is decided where the text is read, by the JSON parser:
the transport hands on bytes. 9 (limits) are frames and messages of growing size, whole, in fragments and in pieces. 12
and 13 (compression) concern nobody who does not offer it. Each case is checked against the engine of `websockets` as
well, and the differential test beside this one makes up the cases that nobody has thought of.

The suite itself, which needs Python 2, has been run against both ends as echoes: of sections 1 to 10 without the binary
halves of 9, all pass but 1.2 (binary messages) and 7.1.5 (see there); 3.2 to 3.4, 4.1.3 f., 4.2.3 f., 5.15 and 6.4 are
"non-strict", since nothing is sent once a peer has broken the protocol.

Where the suite expects an echo, the message is delivered. Binary messages are refused by design unless both ends have
agreed on attachments; refusals of ours have code 3000, where the suite expects 1007 for text that is no UTF-8.
"""

from __future__ import annotations

from typing import TypeAlias

import pytest
from websockets.frames import Opcode

from capnweb_runtime.core.text import loads
from capnweb_runtime.errors import ProtocolError
from tests.runtime.transports.raw_websocket import Behaviour, ours, raw_frame, stock

Sent: TypeAlias = list[tuple[int, bytes]]
Ended: TypeAlias = tuple[list[tuple[Opcode, bytes | int]], str]
PINGS_125 = [(0x89, b"%d" % number) for number in range(10)]
PONG, CLOSE = Opcode.PONG, Opcode.CLOSE
BROKEN: Ended = ([(CLOSE, 1002)], "ProtocolError")
NO_UTF8: Ended = ([(CLOSE, 1007)], "ProtocolError")
BINARY: Ended = ([(CLOSE, 3000)], "TypeError")

SIZES = [0, 125, 126, 127, 128, 65535, 65536]
FRAMING: list[tuple[str, Sent, Behaviour]] = [
    *[(f"1.1 text of {n}", [(0x81, b"*" * n)], Behaviour([b"*" * n])) for n in SIZES],
    *[(f"1.2 binary of {n}", [(0x82, b"*" * n)], Behaviour([], *BINARY)) for n in SIZES],
]
PINGS: list[tuple[str, Sent, Behaviour]] = [
    ("2.1 ping without payload", [(0x89, b"")], Behaviour([], [(PONG, b"")])),
    ("2.2 ping with text", [(0x89, b"Hello, world!")], Behaviour([], [(PONG, b"Hello, world!")])),
    ("2.3 ping with bytes", [(0x89, b"\x00\xff\xfe\xfd")], Behaviour([], [(PONG, b"\x00\xff\xfe\xfd")])),
    ("2.4 ping of 125", [(0x89, b"\xfe" * 125)], Behaviour([], [(PONG, b"\xfe" * 125)])),
    ("2.5 ping of 126", [(0x89, b"\xfe" * 126)], Behaviour([], *BROKEN)),
    ("2.7 pong nobody asked for", [(0x8A, b"")], Behaviour()),
    ("2.8 such a pong with payload", [(0x8A, b"unsolicited")], Behaviour()),
    ("2.9 such a pong, then a ping", [(0x8A, b"x"), (0x89, b"y")], Behaviour([], [(PONG, b"y")])),
    ("2.10 ten pings", PINGS_125, Behaviour([], [(PONG, payload) for _, payload in PINGS_125])),
]
RESERVED: list[tuple[str, Sent, Behaviour]] = [
    ("3.1 reserved bit 3", [(0x91, b"text")], Behaviour([], *BROKEN)),
    ("3.2 text, then reserved bit 2", [(0x81, b"a"), (0xA1, b"b"), (0x89, b"")], Behaviour([b"a"], *BROKEN)),
    ("3.3 text, then reserved bits 2+3", [(0x81, b"a"), (0xB1, b"b")], Behaviour([b"a"], *BROKEN)),
    ("3.4 text, then reserved bit 1", [(0x81, b"a"), (0xC1, b"b")], Behaviour([b"a"], *BROKEN)),
    ("3.5 binary with reserved bits 1+3", [(0xD2, b"\x00")], Behaviour([], *BROKEN)),
    ("3.6 ping with reserved bits 1+2", [(0xE9, b"")], Behaviour([], *BROKEN)),
    ("3.7 close with all of them", [(0xF8, b"")], Behaviour([], *BROKEN)),
]
OPCODES: list[tuple[str, Sent, Behaviour]] = [
    (
        f"4 opcode {opcode} {'alone' if not before else 'after text'}",
        [*before, (0x80 | opcode, payload), (0x89, b"")],
        Behaviour([text for _, text in before], *BROKEN),
    )
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    for payload in (b"", b"reserved")
    for before in ([], [(0x81, b"a")])
]
FRAGMENTS: list[tuple[str, Sent, Behaviour]] = [
    ("5.1 ping in fragments", [(0x09, b"a"), (0x80, b"b")], Behaviour([], *BROKEN)),
    ("5.2 pong in fragments", [(0x0A, b"a"), (0x80, b"b")], Behaviour([], *BROKEN)),
    ("5.3 text in two", [(0x01, b"one"), (0x80, b"two")], Behaviour([b"onetwo"])),
    ("5.6 text in two and a ping", [(0x01, b"one"), (0x89, b"p"), (0x80, b"two")],
     Behaviour([b"onetwo"], [(PONG, b"p")])),
    ("5.9 going on with nothing", [(0x80, b"one"), (0x81, b"a")], Behaviour([], *BROKEN)),
    ("5.12 going on with nothing, not the last", [(0x00, b"one"), (0x81, b"a")], Behaviour([], *BROKEN)),
    ("5.15 text in two, then going on", [(0x01, b"a"), (0x80, b"b"), (0x00, b"c"), (0x81, b"d")],
     Behaviour([b"ab"], *BROKEN)),
    ("5.16 going on with nothing, twice", [(0x00, b"a"), (0x01, b"b"), (0x80, b"c")],
     Behaviour([], *BROKEN)),
    ("5.18 a text amid another", [(0x01, b"a"), (0x81, b"b")], Behaviour([], *BROKEN)),
    ("5.19 five fragments and pings", [(0x01, b"a"), (0x00, b"b"), (0x89, b"1"), (0x00, b"c"), (0x00, b"d"),
     (0x89, b"2"), (0x80, b"e")], Behaviour([b"abcde"], [(PONG, b"1"), (PONG, b"2")])),
    ("5 empty fragments", [(0x01, b""), (0x00, b""), (0x80, b"")], Behaviour([b""])),
    ("5 binary in two", [(0x02, b"a"), (0x80, b"b")], Behaviour([], *BINARY)),
]  # fmt: skip
CLOSING: list[tuple[str, Sent, Behaviour]] = [
    ("7.1.1 text, then close", [(0x81, b"a"), (0x88, b"\x03\xe8")],
     Behaviour([b"a"], [(CLOSE, 1000)], "SessionClosed")),
    ("7.1.2 two closes", [(0x88, b"\x03\xe8"), (0x88, b"\x03\xe8")], Behaviour([], [(CLOSE, 1000)], "SessionClosed")),
    ("7.1.3 ping after close", [(0x88, b"\x03\xe8"), (0x89, b"")], Behaviour([], [(CLOSE, 1000)], "SessionClosed")),
    ("7.1.4 text after close", [(0x88, b"\x03\xe8"), (0x81, b"a")], Behaviour([], [(CLOSE, 1000)], "SessionClosed")),
    # The suite would have 1000 answered; the engine takes a message that never ends for an error.
    ("7.1.5 close amid fragments", [(0x01, b"a"), (0x88, b"\x03\xe8"), (0x80, b"b")],
     Behaviour([], *BROKEN)),
    ("7.3.1 close without code", [(0x88, b"")], Behaviour([], [(CLOSE, 0)], "SessionClosed")),
    ("7.3.2 close with half a code", [(0x88, b"\x03")], Behaviour([], *BROKEN)),
    ("7.3.4 close with code and reason", [(0x88, b"\x03\xe8bye")], Behaviour([], [(CLOSE, 1000)], "SessionClosed")),
    ("7.3.5 close of 125", [(0x88, b"\x03\xe8" + b"*" * 123)], Behaviour([], [(CLOSE, 1000)], "SessionClosed")),
    ("7.3.6 close of 126", [(0x88, b"\x03\xe8" + b"*" * 124)], Behaviour([], *BROKEN)),
    ("7.5.1 reason that is no UTF-8", [(0x88, b"\x03\xe8\xce\xba\xed\xa0\x80")], Behaviour([], *NO_UTF8)),
    *[(f"7.7 code {code}", [(0x88, code.to_bytes(2, "big"))], Behaviour([], [(CLOSE, code)], ended))
      for ended, codes in (("SessionClosed", (1000, 3000, 3999, 4000, 4999)), ("GoingAway", (1001, 1012, 1013)),
                           ("PeerAborted", (1002, 1003, 1007, 1008, 1009, 1010, 1011)), ("ConnectionLost", (1014,)))
      for code in codes],
    *[(f"7.9 code {code}", [(0x88, code.to_bytes(2, "big"))], Behaviour([], *BROKEN))
      for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)],
]  # fmt: skip
MOST = 1 << 20
_LARGE = b"BAsd7&jh23" * (MOST // 10)
TOO_LARGE: Ended = ([(CLOSE, 3000)], "LimitExceeded")
LIMITS: list[tuple[str, Sent, Behaviour]] = [
    *[(f"9.1 text of {n} KiB", [(0x81, bytes(n * 1024))], Behaviour([bytes(n * 1024)])) for n in (64, 256, 1024)],
    ("9.1 text of more than is allowed", [(0x81, bytes(MOST + 1))], Behaviour([], *TOO_LARGE)),
    *[(f"9.3 in fragments of {n}", _cut, Behaviour([_LARGE]))
      for n, _cut in [(n, [(0x01 if at == 0 else 0x80 if at + n >= len(_LARGE) else 0x00, _LARGE[at : at + n])
                           for at in range(0, len(_LARGE), n)]) for n in (4096, 65536, 500_000)]],
    ("9.3 fragments beyond what is allowed", [(0x01, bytes(MOST)), (0x80, b"*")], Behaviour([], *TOO_LARGE)),
    ("9.7 a thousand short ones", [(0x81, b"*" * 16)] * 1000, Behaviour([b"*" * 16] * 1000)),
    ("10.1 in fragments of 1300", [(0x01 if at == 0 else 0x80 if at == 65_000 else 0x00, bytes(1300))
     for at in range(0, 66_300, 1300)], Behaviour([bytes(66_300)])),
]  # fmt: skip
CASES = [*FRAMING, *PINGS, *RESERVED, *OPCODES, *FRAGMENTS, *CLOSING]
both_ends = pytest.mark.parametrize("server", [True, False], ids=["server", "client"])


async def _check(sent: Sent, expected: Behaviour, server: bool, cuts: list[int]) -> None:
    data = b"".join(raw_frame(first, payload, masked=server) for first, payload in sent)
    for size in cuts:
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        assert await ours(pieces, server=server, max_size=MOST) == expected, f"in pieces of {size}"


@both_ends
@pytest.mark.parametrize(("sent", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_case_of_the_suite(sent: Sent, expected: Behaviour, server: bool) -> None:
    longest = max(len(payload) for _, payload in sent)
    await _check(sent, expected, server, [1 << 20, 1, 2, 3, 7, 997] if longest < 1000 else [1 << 20, 997, 20_000])
    if longest < 1000:
        data = b"".join(raw_frame(first, payload, masked=server) for first, payload in sent)
        assert stock(data, server=server, max_size=MOST) == expected


@both_ends
@pytest.mark.parametrize(("sent", "expected"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
async def test_a_case_of_limits_and_fragmentation(sent: Sent, expected: Behaviour, server: bool) -> None:
    await _check(sent, expected, server, [1 << 24, 256 * 1024, 16_384, 1459])


@both_ends
async def test_2_6_a_ping_in_pieces_of_one_byte(server: bool) -> None:
    data = raw_frame(0x89, b"\xfe" * 125, masked=server)
    seen = await ours([bytes((byte,)) for byte in data], server=server, max_size=MOST)
    assert seen == Behaviour([], [(PONG, b"\xfe" * 125)])


@both_ends
async def test_a_frame_masked_the_wrong_way_is_refused(server: bool) -> None:
    for length in (5, 126, 70_000):
        seen = await ours([raw_frame(0x81, bytes(length), masked=not server)], server=server, max_size=MOST)
        assert seen == Behaviour([], *BROKEN)


@both_ends
async def test_an_endless_frame_is_refused_by_its_head(server: bool) -> None:
    begun = raw_frame(0x81, b"", masked=server, length=b"\x7f" + b"\x7f" + b"\xff" * 7)[:10]
    assert await ours([begun], server=server, max_size=MOST) == Behaviour([], *TOO_LARGE)


NOT_UTF8 = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",  # 6.3.1
    b"\xf4\x90\x80\x80",  # 6.4: beyond the last code point
    b"\xf8\x88\x80\x80\x80",  # 6.10: five bytes
    b"\xfc\x84\x80\x80\x80\x80",  # 6.10: six bytes
    b"\xef\xbf",  # 6.12: cut off
    b"\x80",  # 6.14: goes on with nothing
    b"\xc0\xaf",  # 6.18: longer than need be
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",  # 6.20: half a surrogate pair
    b"\xed\xa0\x80\xed\xb0\x80",  # 6.21: both halves, each by itself
    b"\xfe",
]


@pytest.mark.parametrize("text", NOT_UTF8, ids=[text.hex() for text in NOT_UTF8])
def test_6_text_that_is_no_utf8_is_refused_where_it_is_read(text: bytes) -> None:
    for message in (b'["push","' + text + b'"]', b'["push","' + text + b'",1e400]'):  # which only a slow parser reads
        with pytest.raises(ProtocolError):
            loads(message)


@pytest.mark.parametrize(
    "text", ["κόσμε", "\x00", "\x7f", "\x80", "߿", "ࠀ", "\ufffd", "\U00010000", "\U0010ffff", "\uffff"]
)
def test_6_text_that_is_utf8_is_read(text: str) -> None:
    escaped = text.replace("\x00", "\\u0000")
    for message in (f'["{escaped}"]', f'["{escaped}",1e400]'):
        assert loads(message.encode())[0] == text


@both_ends
async def test_6_2_a_character_may_be_cut_by_fragments_and_pieces(server: bool) -> None:
    text = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    sent = [(0x01, text[:1]), *[(0x00, text[at : at + 1]) for at in range(1, len(text))], (0x80, b"")]
    await _check(sent, Behaviour([text]), server, [1, 1 << 20])
