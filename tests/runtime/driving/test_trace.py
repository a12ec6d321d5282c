"""The messages of sessions in the log."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import pytest

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.taps import TappedWire
from capnweb_runtime.driving.trace import LONGEST, Trace
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.transports import memory
from tests.runtime.transports.example_api import Example, ExampleStub

TOKEN = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl-_"
CYCLE: list[Any] = []
CYCLE.append(CYCLE)


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.closed: list[BaseException] = []

    def write(self, messages: list[Any]) -> None:
        self.written += messages

    def close(self, reason: BaseException) -> None:
        self.closed.append(reason)

    def buffered(self) -> int:
        return 7


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "capnweb_runtime.wire"]


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "capnweb_runtime.wire")
    return caplog


class TestLines:
    @pytest.mark.parametrize(
        ("message", "line"),
        [
            (b'["push",["pipeline",0,["add"],[1,2]]]', '<- push 1 ["pipeline",0,["add"],[1,2]]'),
            (b'["pull",1]', "<- pull 1"),
            (b'["resolve",-3,{"a":[1]}]', '<- resolve -3 {"a":[1]}'),
            (b'["reject",2,["error","Error","no"]]', '<- reject 2 ["error","Error","no"]'),
            (b'["release",7,1]', "<- release 7 1"),
            (b'["pipe"]', "<- pipe 1"),
            (b'["stream",["pipeline",1,["close"],[]]]', '<- stream 1 ["pipeline",1,["close"],[]]'),
            (b'["abort",["error","Error","why"]]', '<- abort ["error","Error","why"]'),
            (b' [ "pull" , 1 ] ', "<- pull 1"),
            ('["pull",1]', "<- pull 1"),
            (["pull", 1], "<- pull 1"),
            (["push", ["bytes", b"ab"]], '<- push 1 ["bytes","b\'ab\'"]'),
            (b"{", "<- {"),
            (b"", "<- "),
            (b"what\nERROR forged\x1b", r"<- what\nERROR forged\x1b"),
            (b'["push",\n"a\x00"]', r'<- push 1 "a\x00"'),
            (b"\xff\xfe", "<- \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
            (b'["no kind of mine",1]', '<- ["no kind of mine",1]'),
            ((b'["push",["bytes",0]]', b"abc", b"de"), '<- push 1 ["bytes",0] and 5 bytes in 2 attachments'),
            (CYCLE, "<- list that cannot be shown: Circular reference detected"),
            (b'["resolve",1,"' + TOKEN + b'"]', '<- resolve 1 "eyJ***"'),
            (["push", {"a": TOKEN.decode()}], '<- push 1 {"a":"eyJ***"}'),
            (b'["resolve",1,"' + TOKEN * 50, '<- resolve 1 "eyJ***'),
            (b'["resolve",1,"eyJ and so on"]', '<- resolve 1 "eyJ and so on"'),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_kind_and_id_stand_in_front(self, shown: pytest.LogCaptureFixture, message: Any, line: str) -> None:
        Trace("here", logging.getLogger("capnweb_runtime.wire")).received([message])
        assert lines(shown) == [f"here {line}"]

    def test_calls_and_pipes_are_counted_each_way(self, shown: pytest.LogCaptureFixture) -> None:
        trace, wire = Trace("here", logging.getLogger("capnweb_runtime.wire")), Wire()
        ours = TappedWire(wire, [trace])
        ours.write([b'["push",1]', b'["pull",1]', b'["pipe"]'])
        trace.received([b'["push",1]', b'["stream",1]'])
        ours.write([b'["stream",1]'])
        kinds = [line.removeprefix("here ")[:12].strip() for line in lines(shown)]
        assert kinds == ["-> push 1 1", "-> pull 1", "-> pipe 2", "<- push 1 1", "<- stream 2", "-> stream 3"]
        assert wire.written == [b'["push",1]', b'["pull",1]', b'["pipe"]', b'["stream",1]']

    @pytest.mark.parametrize("size", [LONGEST, 10 * LONGEST])
    def test_a_long_message_is_cut(self, shown: pytest.LogCaptureFixture, size: int) -> None:
        Trace("here", logging.getLogger("capnweb_runtime.wire")).received([b'["push","' + b"x" * size + b'"]'])
        [seen] = lines(shown)
        assert len(seen) < LONGEST + 30
        assert seen.endswith("x…")

    def test_the_rest_of_a_wire_is_as_it_was(self) -> None:
        wire = Wire()
        ours = TappedWire(wire, [Trace("here", logging.getLogger("capnweb_runtime.wire"))])
        reason = ValueError()
        ours.close(reason)
        assert (wire.closed, ours.buffered()) == ([reason], 7)


class TestSessions:
    @pytest.mark.parametrize("encoding", ["string", "json", "json-with-bytes"])
    async def test_all_of_both_ends_is_shown(self, shown: pytest.LogCaptureFixture, encoding: Encoding) -> None:
        a, _ = memory.pair(None, Example(), encoding=encoding)
        api = a.main(ExampleStub)
        assert await api.add(1, 2) == 3
        api.dispose()
        await a.wait_closed()
        assert lines(shown) == [
            'a session -> push 1 ["pipeline",0,["add"],[1,2]]',
            "a session -> pull 1",
            'a session <- push 1 ["pipeline",0,["add"],[1,2]]',
            "a session <- pull 1",
            "a session -> resolve 1 3",
            "a session <- resolve 1 3",
            "a session -> release 1 1",
            "a session <- release 1 1",
        ]

    async def test_what_has_to_wait_for_its_turn_is_shown_once(self, shown: pytest.LogCaptureFixture) -> None:
        _, b = memory.pair(None, Example())
        b.received([b'["push",["pipeline",0,["add"],[1,2]]]'])
        b.host.account.end_turn()
        b.received([b'["pull",1]'])
        assert b.behind
        b.host.line.go_on()
        assert [line for line in lines(shown) if "<-" in line] == [
            'a session <- push 1 ["pipeline",0,["add"],[1,2]]',
            "a session <- pull 1",
        ]

    @pytest.mark.parametrize("over", ["websocket", "http"])
    async def test_each_end_says_who_the_other_is(self, shown: pytest.LogCaptureFixture, over: str) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            url = server.url if over == "websocket" else server.http_url
            async with connect(url.replace("://", "://user:secret@"), ExampleStub) as api:
                assert await api.add(1, 2) == 3
        seen = [re.sub(r":\d+(?= over)", ":PORT", line).replace(url, "URL") for line in lines(shown)]
        assert "URL -> pull 1" in seen
        assert f"127.0.0.1:PORT over {over} at /rpc <- pull 1" in seen
        assert f"127.0.0.1:PORT over {over} at /rpc -> resolve 1 3" in seen
        assert "URL <- resolve 1 3" in seen

    async def test_nothing_is_shown_or_imported_where_nobody_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "capnweb_runtime.driving.trace")
        connection = Connection()
        assert connection._taps == ()
        assert "capnweb_runtime.driving.trace" not in sys.modules
