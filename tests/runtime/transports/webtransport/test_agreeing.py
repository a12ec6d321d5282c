"""Two ends of ours agree on byte strings and on what calls carry; whoever does not offer that sees nothing of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from capnweb_runtime import CallInfo, Proceed, deadline
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.transports.webtransport import client as client_module
from capnweb_runtime.transports.webtransport.agreeing import agreed_in, choice, chosen_of, offered
from capnweb_runtime.transports.webtransport.end import WebTransportEnd
from tests.runtime.transports.example_api import Example
from tests.runtime.transports.webtransport.raw_webtransport import raw_webtransport
from tests.runtime.transports.webtransport.test_sessions import serving, to

BOTH = "capnweb-gen.attachments.1+calls.1"
ATTACHMENTS = "capnweb-gen.attachments.1"
LONG = bytes(range(256)) * 300
"""Bytes among which there are ends of lines."""


class Seen:
    """An interceptor that keeps what it was told of."""

    def __init__(self) -> None:
        self.calls: list[CallInfo] = []

    async def __call__(self, call: CallInfo, proceed: Proceed, /) -> Any:
        self.calls.append(call)
        return await proceed(call)


async def adding(call: CallInfo, proceed: Proceed) -> Any:
    call.metadata["traceparent"] = "00-ab"
    return await proceed(call)


class TestHeaders:
    def test_the_server_takes_the_best_of_what_is_offered(self) -> None:
        name, value = offered()
        assert name == b"wt-available-protocols"
        assert chosen_of([(name, value)]) == BOTH
        assert chosen_of([(name, b'"other", "capnweb-gen.calls.1"'), (b"x", b"y")]) == "capnweb-gen.calls.1"
        assert chosen_of([(name, b'"capnweb-gen.calls.1"'), (name, b'"capnweb-gen.attachments.1"')]) == ATTACHMENTS

    @pytest.mark.parametrize(
        "value",
        [
            b'"capnweb-gen.attachments.1";q=1;x="a,b\\"" ,\t"\\"other\\\\"',
            b'  "a", "capnweb-gen.attachments.1"; x; y=?1 ',
        ],
    )
    def test_parameters_and_white_space_mean_nothing(self, value: bytes) -> None:
        assert chosen_of([(b"wt-available-protocols", value)]) == ATTACHMENTS

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"capnweb-gen.attachments.1",
            b'"capnweb-gen.attachments.1", token',
            b'"capnweb-gen.attachments.1", 1',
            b'"capnweb-gen.attachments.1",',
            b'"capnweb-gen.attachments.1" "x"',
            b'"capnweb-gen.attachments.1',
            b'("capnweb-gen.attachments.1")',
            b'"capnweb-gen.attachments.1", "\xe4"',
            b'"capnweb-gen.attachments.1"' + b', "x"' * 2000,
        ],
    )
    def test_what_is_no_list_of_strings_offers_nothing(self, value: bytes) -> None:
        assert chosen_of([(b"wt-available-protocols", value)]) is None

    def test_a_choice_counts_that_was_offered(self) -> None:
        assert agreed_in([choice(BOTH)]) == BOTH
        for value in (b'"other"', b"capnweb-gen.attachments.1", b'"capnweb-gen.calls.1", "capnweb-gen.calls.1"'):
            assert agreed_in([(b"wt-protocol", value)]) is None
        assert agreed_in([(b":status", b"200")]) is None


async def test_byte_strings_travel_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    plain = WebTransportEnd.write_lines

    def write_lines(end: WebTransportEnd, messages: list[Any]) -> None:
        written.extend(messages)
        plain(end, messages)

    monkeypatch.setattr(WebTransportEnd, "write_lines", write_lines)
    async with serving() as server, to(server.http_url) as api:
        assert await api.echo({"long": LONG, "short": b"abc", "text": "x"}) == {
            "long": LONG,
            "short": b"abc",
            "text": "x",
        }
        assert await api.echo([LONG] * 40) == [LONG] * 40
    attached = [message for message in written if isinstance(message, tuple)]
    assert [len(message) for message in attached] == [2, 2, 2, 2]  # one that is named forty times is sent once
    assert all(message[1] == LONG for message in attached)


async def test_byte_strings_of_megabytes_arrive_and_too_many_end_the_session() -> None:
    async with serving(limits=Limits(message_size=3_000_000)) as server:
        async with to(server.http_url) as api:
            data = LONG * 30
            assert await api.echo(data) == data
        api = await to(server.http_url)
        with pytest.raises(SessionClosed, match="attachments exceed maximum message size of 3000000 bytes"):
            await api.echo([LONG * 30, LONG[1:] * 30])
        async with to(server.http_url) as api:
            assert await api.add(1, 2) == 3


async def test_deadlines_and_metadata_travel() -> None:
    seen = Seen()
    async with serving(interceptors=[seen]) as server, to(server.http_url, interceptors=[adding]) as api:
        with deadline(50):
            assert await api.add(1, 2) == 3
    [call] = seen.calls
    assert call.metadata == {"traceparent": "00-ab"}
    assert call.deadline is not None
    assert 0 < call.deadline <= 50


async def test_a_client_that_offers_nothing_is_told_of_nothing() -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        assert await raw.ask() == 200
        assert not [name for name in raw.answers[0] if b"protocol" in name]
        stream = raw.stream()
        raw.write(stream, b'["push",["pipeline",0,["echo"],[["bytes","' + b"QUJD" * 200 + b'"]]]]\n["pull",1]\n')
        answer = await raw.line(stream)
        assert json.loads(answer) == ["resolve", 1, ["bytes", "QUJD" * 200]]


async def test_a_line_of_bytes_that_nobody_agreed_on_is_no_message() -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        await raw.ask()
        stream = raw.stream()
        raw.write(stream, b"#3\nabc")
        assert (await raw.line(stream)).startswith(b'["abort",["error","SyntaxError"')


async def test_a_client_of_another_kind_may_agree() -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        await raw.ask(**{"wt-available-protocols": f'"moqt-16", "{ATTACHMENTS}"'})
        assert raw.answers[0][b"wt-protocol"] == f'"{ATTACHMENTS}"'.encode()
        stream = raw.stream()
        raw.write(stream, b'#300\n%b["push",["pipeline",0,["echo"],[["bytes",0]]]]\n["pull",1]\n' % (b"\n" * 300))
        assert await raw.line(stream) == b"#300"
        await raw.until(lambda: len(raw.lines[stream]) > 300)
        assert raw.lines[stream].startswith(b"\n" * 300 + b'["resolve",1,["bytes",0]]\n')


async def test_a_server_that_knows_nothing_of_it_is_sent_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "agreed_in", lambda answer: None)
    seen = Seen()
    async with serving(interceptors=[seen]) as server:
        monkeypatch.setattr("capnweb_runtime.serving.webtransport_server.chosen_of", lambda request: None)
        async with to(server.http_url, interceptors=[adding]) as api:
            with deadline(50):
                assert await api.echo(LONG) == LONG
    [call] = seen.calls
    assert (call.metadata, call.deadline) == ({}, None)


async def test_an_application_may_offer_something_of_its_own() -> None:
    offers: list[str | None] = []

    def main(peer: Any) -> Any:
        offers.append(peer.headers.get("WT-Available-Protocols"))
        return Example()

    async with serving(main) as server:
        for own in ("", '"mine"'):
            async with to(server.http_url, headers={"WT-Available-Protocols": own}) as api:
                assert [*await asyncio.gather(api.echo(LONG), api.add(1, 2))] == [LONG, 3]
    assert offers == ["", '"mine"']
