"""Messages in words: ids resolved to names, secrets left out, whoever reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime import BigInt, WireDate
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.debugging.reader import LARGEST, MessageReader
from capnweb_runtime.debugging.records import LONGEST, Record, line
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports import memory
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.gen.golden.secrets.expected import AskStub, TrashStub, TrashTarget, VaultStub, VaultTarget
from tests.gen.golden.secrets.schema import Hints, Key, Login, Request
from tests.runtime.transports.example_api import Example, ExampleStub


class Reading:
    """A tap that has the messages of a session read."""

    def __init__(self, connection: Connection) -> None:
        self.reader = connection.reader()
        self.records: list[Record] = []
        connection.tap(self)

    def received(self, messages: list[Any]) -> None:
        self.records += map(self.reader.received, messages)

    def sent(self, messages: list[Any]) -> None:
        self.records += map(self.reader.sent, messages)

    @property
    def lines(self) -> list[str]:
        return [line(record) for record in self.records]


class Vault(VaultTarget):
    @property
    def master(self) -> str:
        return "HIDDEN"

    def open(self, token: str, reason: str = "") -> bool:
        return True

    def sign_in(self, *tokens: str, request: Request | None = None) -> Request:
        return request or Request(login=Login(user="ada", password="HIDDEN"), pin=1234)

    def requests(self) -> list[Request]:
        return [self.sign_in(), self.sign_in()]

    def key(self, hints: Hints) -> Key:
        return Key(name="k", parts=[b"HIDDEN"])

    async def backup(self) -> AsyncIterator[bytes]:
        yield b"HIDDEN"

    async def ask(self, ask: AskStub) -> None:
        assert await ask("name?", "HIDDEN") == "HIDDEN"


class Trash(TrashTarget):
    @property
    def last(self) -> str:
        return "HIDDEN"

    def forget(self, token: str, after: int = 0) -> str:
        return "HIDDEN"

    def size(self) -> int:
        return 3


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def test_ids_are_resolved_to_names_at_both_ends() -> None:
    client, server = memory.pair(None, Front(Accounts()))
    api = client.main(PublicApiStub)
    ours, theirs = Reading(client), Reading(server)
    authed = api.authenticate("secret")
    names = await authed.friends().map(lambda number: authed.get_profile(number).name)
    assert names == ["Grace", "Barbara"]
    stub = await authed
    subscription = await stub.watch(print)
    subscription.dispose()
    stub.dispose()
    await settled()
    assert theirs.lines == [
        '<- push #1 PublicApi.authenticate(token="secret")',
        "<- push #2 AuthedApi.friends() on #1",
        "<- push #3 AuthedApi.friends.map(item -> $1 = AuthedApi.get_profile(user_id=item); $1.name) on #2",
        "<- pull #3 AuthedApi.friends.map",
        "<- release #2 AuthedApi.friends",
        "-> resolve #3 AuthedApi.friends.map = [<promise #-1>, <promise #-2>]",
        '-> resolve #-1 = "Grace"',
        '-> resolve #-2 = "Barbara"',
        "<- release #3 AuthedApi.friends.map",
        "<- release #-1",
        "<- release #-2",
        "<- pull #1 PublicApi.authenticate",
        "-> resolve #1 PublicApi.authenticate = <AuthedApi #-3>",
        "<- release #1 PublicApi.authenticate",
        "<- push #4 AuthedApi.watch(on_change=<function #-1>) on #-3",
        "<- pull #4 AuthedApi.watch",
        "-> resolve #4 AuthedApi.watch = <Subscription #-4>",
        "<- release #4 AuthedApi.watch",
        "<- release #-4 Subscription",
        "<- release #-3 AuthedApi",
        "-> release #-1 function",
    ]
    assert ours.lines[:2] == [
        '-> push #1 PublicApi.authenticate(token="secret")',
        "-> push #2 AuthedApi.friends() on #1",
    ]
    api.dispose()


async def test_what_the_schema_calls_secret_is_in_no_record() -> None:
    client, server = memory.pair(None, Vault())
    theirs = Reading(server)
    api = client.main(VaultStub)
    assert await api.master == "HIDDEN"
    assert await api.open("HIDDEN", "because")
    request = Request(login=Login(user="ada", password="HIDDEN"), pin=1234)
    assert await api.sign_in("HIDDEN", "HIDDEN", request=request) == request
    assert await api.sign_in().login.password == "HIDDEN"
    assert (await api.key({"question": "q", "answer": "HIDDEN"})).parts == [b"HIDDEN"]
    assert [chunk async for chunk in api.backup()] == [b"HIDDEN"]
    await api.ask(lambda what, before=None: "HIDDEN")
    assert [one for one in theirs.lines if "***" in one] == [
        "-> resolve #1 Vault.master = ***",
        '<- push #2 Vault.open(token=***, reason="because")',
        "<- push #3 Vault.sign_in(***, request=***)",
        '-> resolve #3 Vault.sign_in = {"login": {"user": "ada", "password": ***}, "pin": ***}',
        "-> resolve #5 Vault.sign_in.login.password = ***",
        '<- push #6 Vault.key(hints={"question": "q", "answer": ***})',
        '-> resolve #6 Vault.key = {"name": "k", "parts": ***}',
        "-> resolve #7 Vault.backup = ***",
        "-> stream #2 stream.write(***) on #1",
        "<- resolve #2 stream.write = ***",
        "<- resolve #3 stream.close = ***",
        '-> push #4 function(what="name?", before=***) on #-1',
        "<- resolve #4 function = ***",
    ]
    api.dispose()


async def test_no_log_of_debug_mode_has_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    client, _ = memory.pair(None, Vault(), debug=True)
    api = client.main(VaultStub)
    await api.sign_in("HIDDEN", request=Request(login=Login(user="ada", password="HIDDEN"), pin=1234))
    assert await api.sign_in().login.password == "HIDDEN"
    assert await api.open(api.master, "x")
    await api.ask(lambda what, before=None: "HIDDEN")
    assert [chunk async for chunk in api.backup()] == [b"HIDDEN"]
    api.dispose()
    trash, _ = memory.pair(None, Trash(), debug=True)
    other = trash.main(TrashStub)
    assert (await other.last, await other.forget("HIDDEN")) == ("HIDDEN", "HIDDEN")
    other.dispose()
    told = [record.getMessage() for record in caplog.records]
    assert any("Trash.forget(token=***)" in one for one in told)
    assert not [one for one in told if "HIDDEN" in one or "1234" in one]


async def test_what_is_secret_in_a_mapped_result_is_secret_there() -> None:
    client, server = memory.pair(None, Vault())
    theirs = Reading(server)
    api = client.main(VaultStub)
    assert await api.requests().map(lambda request: request.login.password) == ["HIDDEN"] * 2
    assert await api.requests().map(lambda request: api.open(request.login.password)) == [True] * 2
    await api.requests().map(lambda one: {"a": one.login.password, "b": one.login.user})
    mixed: Any = api.requests().map(lambda one: (one.login.user, {"c": one.pin}))
    assert (await mixed)[0][1] == {"c": 1234}
    await api.requests().map(lambda one: (one.login.user, api.requests().map(lambda other: other.login)))
    *mapped, nested = [one for one in theirs.lines if ".map(" in one]
    assert nested.endswith(
        "item -> $1 = Vault.requests(); $2 = $1.map(item -> item.login); [item.login.user, $2]) on #9"
    )
    assert mapped == [
        "<- push #2 Vault.requests.map(item -> item.login.password) on #1",
        "<- push #4 Vault.requests.map(item -> $1 = Vault.open(token=***); $1) on #3",
        '<- push #6 Vault.requests.map(item -> {"a": item.login.password, "b": item.login.user}) on #5',
        '<- push #8 Vault.requests.map(item -> [item.login.user, {"c": item.pin}]) on #7',
    ]
    assert not [one for one in theirs.lines if "HIDDEN" in one or "1234" in one]
    assert len([one for one in theirs.lines if one.endswith('= "ada"')]) == 6
    api.dispose()


@pytest.mark.parametrize("encoding", ["string", "json", "json-with-bytes"])
async def test_it_is_the_same_whatever_the_transport_carries(encoding: Encoding) -> None:
    client, server = memory.pair(None, Example(), encoding=encoding)
    theirs = Reading(server)
    api = client.main(ExampleStub)
    assert await api.add(1, 2) == 3
    await settled()
    assert theirs.lines == [
        "<- push #1 Example.add(a=1, b=2)",
        "<- pull #1 Example.add",
        "-> resolve #1 Example.add = 3",
        "<- release #1 Example.add",
    ]
    assert all(record.size >= 10 for record in theirs.records)
    api.dispose()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ([1, [2.5, True]], "[1, [2.5, true]]"),
        ({"a": "b"}, '{"a": "b"}'),
        (float("inf"), "inf"),
        (BigInt(10) ** 30, str(10**30)),
        (b"abcd", "<4 bytes>"),
        (WireDate(0), "1970-01-01T00:00:00+00:00"),
        ("x" * 300, '"' + "x" * 200 + '"…'),
        ("a\nb\x1b[31m", r'"a\nb\u001b[31m"'),
        ("eyJhbGciOiJIUzI1NiJ9.e30.abc", '"eyJ***"'),
        ([["a"]], '[["a"]]'),
        (ValueError("k"), "ValueError: k"),
    ],
    ids=str,
)
async def test_values_are_shown_for_people(value: Any, shown: str) -> None:
    client, server = memory.pair(None, Example())
    theirs = Reading(server)
    api = client.main(ExampleStub)
    await api.echo(value)
    assert theirs.lines[0] == f"<- push #1 Example.echo(value={shown})"
    api.dispose()


async def test_long_values_are_cut_and_yet_walked() -> None:
    client, server = memory.pair(None, Example())
    theirs = Reading(server)
    api = client.main(ExampleStub)
    await api.echo([*range(10_000), len])
    (record, *_) = theirs.records
    assert len(record.preview) <= LONGEST + 5
    assert record.preview.endswith("…")
    assert -1 in theirs.reader.imports._known  # what stood at its end
    api.dispose()


async def test_failures_say_of_what() -> None:
    client, server = memory.pair(None, Example())
    theirs = Reading(server)
    api = client.main(ExampleStub)
    with pytest.raises(ValueError, match="no such"):
        await api.fail("no such\nthing")
    assert theirs.lines[2] == r"-> reject #1 Example.fail: ValueError: no such\nthing"
    assert theirs.records[2].error == r"ValueError: no such\nthing"
    api.dispose()


HOSTILE: list[Any] = [
    b"",
    b"{",
    b"[]",
    b"[[]]",
    b'["push"]',
    b'["push",["pipeline"]]',
    b'["push",["pipeline",{"a":1},"x",5]]',
    b'["push",["remap",0,["a"],[["import"]],[["pipeline",0,["b"]]]]]',
    b'["push",["remap",0,[],7,8]]',
    b'["resolve"]',
    b'["resolve","x","y"]',
    b'["release",1,"many"]',
    b'["pull",[]]',
    b'["reject",1,["error"]]',
    b'["abort"]',
    b'["pipe",1,2,3]',
    b'["no kind",1]',
    b'["push",["export"]]',
    b'["push",' + b"[" * 5_000 + b"]" * 5_000 + b"]",
    b"\xff",
    (b'["push",["bytes",0]]', b"abc"),
    ["push", object()],
    {"push": 1},
    7,
]


@pytest.mark.parametrize("message", HOSTILE, ids=lambda value: repr(value).partition(" at 0x")[0][:40])
def test_whatever_a_peer_sends_is_a_record(message: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        reader = MessageReader(Connection(Example(), loop=loop).session)
        for read in (reader.received, reader.sent):
            told = line(read(message))
            assert told.isprintable()
            assert len(told) < LONGEST + 300
    finally:
        loop.close()


async def test_names_that_a_peer_gives_forge_no_line() -> None:
    _, server = memory.pair(None, Example())
    theirs = Reading(server)
    server.received(
        [
            b'["push",["pipeline",0,["a\\nb"],[["export",-1,"x\\ny\\u001b[31m' + b"z" * 200 + b'"]]]]',
            b'["push",["pipeline",0,["echo"],[["export",-2,"q\\r"]]]]',
            b'["abort",["error","E\\n","m\\n\\u2028"]]',
        ]
    )
    for told in theirs.lines:
        assert told.isprintable()
        assert len(told) < LONGEST
    (released,) = [told for told in theirs.lines if told.startswith("-> release #-1")]
    assert released.startswith(r"-> release #-1 x\ny\x1b[31mzz")


async def test_of_a_large_message_only_the_head_is_told() -> None:
    client, server = memory.pair(None, Example())
    theirs = Reading(server)
    api = client.main(ExampleStub)
    assert len(await api.echo("x" * LARGEST)) == LARGEST
    assert await api.add(1, 2) == 3
    await settled()
    assert theirs.lines[:6] == [
        "<- push #1 = …",
        "<- pull #1",
        "-> resolve #1 = …",
        "<- release #1",
        "<- push #2 Example.add(a=1, b=2)",
        "<- pull #2 Example.add",
    ]
    assert theirs.records[0].size > LARGEST
    api.dispose()


async def test_of_what_a_large_message_was_nothing_is_shown() -> None:
    client, server = memory.pair(None, Vault())
    theirs = Reading(server)
    api = client.main(VaultStub)
    large = Request(login=Login(user="x" * LARGEST, password="HIDDEN"))
    signed = api.sign_in(request=large)
    assert await signed.login.password == "HIDDEN"
    assert await api.sign_in("t", request=Request(login=Login(user="ada", password="HIDDEN"))).login.user == "ada"
    assert [one for one in theirs.lines if "resolve" in one] == [
        "-> resolve #2 login.password = ***",
        '-> resolve #4 Vault.sign_in.login.user = "ada"',
    ]
    await api.ask(lambda what, before=None: "HIDDEN")
    assert not [one for one in theirs.lines if "HIDDEN" in one]
    api.dispose()


async def test_a_reader_that_comes_late_shows_nothing_that_may_be_secret() -> None:
    client, server = memory.pair(None, Example())
    api = client.main(ExampleStub)
    waiting = asyncio.ensure_future(api.wait("HIDDEN"))
    await settled()
    ours, theirs = Reading(client), Reading(server)
    api.echo([ours.lines, "shown"]).dispose()
    await settled()
    assert theirs.lines[0] == '<- push #2 Example.echo(value=[[], "shown"])'
    theirs.received([b'["push",["pipeline",-7,["strange"],["HIDDEN"]]]', b'["resolve",-7,"HIDDEN"]'])
    assert theirs.lines[-2:] == ["<- push #3 strange(***) on #-7", "<- resolve #-7 = ***"]
    assert ours.reader.imports.get(1).type.secret
    waiting.cancel()
    api.dispose()


async def test_a_reader_that_comes_late_counts_on() -> None:
    client, server = memory.pair(None, Front(Accounts()))
    api = client.main(PublicApiStub)
    authed = await api.authenticate("secret")
    kept = authed.me()
    await settled()
    theirs, ours = Reading(server), Reading(client)
    assert await authed.me() == 1
    assert theirs.lines[0] == "<- push #3 AuthedApi.me() on #-1"
    assert ours.records[0].id == 3
    kept.dispose()
    authed.dispose()
    api.dispose()
