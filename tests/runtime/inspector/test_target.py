"""What the inspector answers of a server that is used."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.inspector.generated.inspection import InspectionPromise
from capnweb_runtime.inspector.schema.inspection import Call, Frame
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.gen.golden.secrets.expected import VaultStub, VaultTarget
from tests.gen.golden.secrets.schema import Hints, Key, Login, Request
from tests.runtime.inspector.looking import looking
from tests.runtime.transports.example_api import Example, ExampleStub, Gates


async def calls_of(inspection: InspectionPromise, after: int = 0) -> dict[str, Call]:
    return {call.name: call for call in (await inspection.calls(after, None)).calls}


async def frames_of(inspection: InspectionPromise) -> list[Frame]:
    return (await inspection.frames(0, None)).frames


async def test_a_pipeline_is_a_tree_of_calls() -> None:
    async with (
        serve(lambda _: Front(Accounts()), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, PublicApiStub) as api,
    ):
        await inspection.calls(0, None)
        authed = api.authenticate("secret")
        await authed.get_profile(authed.me())
        calls = await calls_of(inspection)
    root, me, profile = (calls[name] for name in ("PublicApi.authenticate", "AuthedApi.me", "AuthedApi.get_profile"))
    assert (root.parent, me.parent, profile.parent) == (None, root.key, root.key)
    assert profile.uses == [me.id]
    assert (profile.state, root.state, me.state) == ("done", "not awaited", "released")
    assert profile.took is not None
    assert profile.took >= 0


async def test_secrets_are_left_out_of_calls_and_messages() -> None:
    async with (
        serve(lambda _: Front(Accounts()), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, PublicApiStub) as api,
    ):
        await inspection.frames(0, None)
        await api.authenticate("secret").me()
        seen = f"{await inspection.calls(0, None)} {await frames_of(inspection)}"
    assert "token: •••" in seen
    assert "secret" not in seen.replace("Secret", "")


class Keeper(VaultTarget):
    """All that is secret in it begins with "hush"."""

    @property
    def master(self) -> str:
        return "hush-1"

    def open(self, token: str, reason: str = "") -> bool:
        return True

    def sign_in(self, *tokens: str, request: Request | None = None) -> Request:
        return Request(login=Login(user="Ada", password="hush-2"), pin=4711)

    def requests(self) -> list[Request]:
        return [self.sign_in()]

    def key(self, hints: Hints) -> Key:
        return Key(hints["question"], [b"hush-3"])

    async def backup(self) -> AsyncIterator[bytes]:
        yield b"hush-4"

    async def ask(self, ask: Callable[..., Awaitable[str]]) -> None:
        await ask("a name", "hush-5")


async def test_so_is_what_the_schema_says_to_be_secret() -> None:
    async def answer(what: str, before: str | None = None) -> str:
        return "hush-6"

    async with (
        serve(lambda _: Keeper(), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, VaultStub) as vault,
    ):
        await inspection.frames(0, None)
        await vault.master
        await vault.open("hush-7", "a reason")
        await vault.sign_in("hush-8", "hush-9", request=Request(login=Login(user="Eve", password="hush-10")))
        await vault.requests().map(lambda each: {"renamed": each.login.password})
        await vault.requests()[0].login.password
        await vault.requests()[0].login.user
        await vault.key({"question": "a question", "answer": "hush-11"})
        await vault.ask(answer)
        async for _ in vault.backup():
            pass
        seen = f"{await inspection.calls(0, None)} {await frames_of(inspection)}"
    assert "hush" not in seen
    assert b64encode(b"hush-3").decode().rstrip("=") not in seen
    assert "4711" not in seen
    for shown in ("a reason", "Ada", "a question", "a name"):
        assert shown in seen


async def test_errors_and_calls_in_progress_are_told() -> None:
    gates = Gates()
    async with (
        serve(lambda _: Example(gates=gates), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await inspection.calls(0, None)

        async def wait() -> str:
            return await example.wait("gate")

        waiting = asyncio.create_task(wait())
        await gates.come("gate").wait()
        with pytest.raises(Exception, match="no such thing"):
            await example.fail("no such thing")
        first = await inspection.calls(0, None)
        calls = {call.name: call for call in first.calls}
        assert calls["Example.wait"].state == "running"
        assert calls["Example.fail"].state == "failed"
        assert "no such thing" in calls["Example.fail"].outcome
        gates.open("gate").set()
        await waiting
        changed = await calls_of(inspection, first.at)
        assert [(call.name, call.state) for call in changed.values()] == [("Example.wait", "done")]


async def test_calls_of_this_side_are_told_as_such() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await inspection.calls(0, None)
        assert await example.apply(lambda value: value + 1, 41) == 42
        calls = (await inspection.calls(0, None)).calls
    assert {(call.served, call.outcome) for call in calls} == {(True, "42"), (False, "42")}


async def test_hostile_texts_are_cut_and_escaped() -> None:
    hostile = "\x1b[31m<img src=x onerror=alert(1)>\n\u202e" + "x" * 100_000
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await inspection.frames(0, None)
        await example.echo({hostile[:50]: hostile})
        with pytest.raises(ValueError, match="img"):
            await example.fail(hostile[:50])
        frames = await frames_of(inspection)
    assert max(len(frame.text) for frame in frames) < 1_000
    assert all(frame.text.isprintable() for frame in frames)
    assert len(frames) == 8


async def test_the_schema_is_that_of_the_main_object() -> None:
    def front(_: object) -> Front:
        return Front(Accounts())

    async with serve(front, "127.0.0.1", 0, inspector=True) as server, looking(server) as inspection:
        schema = await inspection.schema()
    [document] = json.loads(schema.text)
    assert document["main"] == [{"module": "schemas.accounts", "name": "PublicApi"}]
    assert (schema.module, schema.why) == ("generated.accounts", "")


async def test_why_there_is_no_schema_is_told() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as server, looking(server) as inspection:
        assert "Nobody has connected yet" in (await inspection.schema()).why
        async with connect(server.url, ExampleStub) as example:
            await example.add(1, 2)
            assert "has no IR beside it" in (await inspection.schema()).why


async def test_tables_name_what_is_held() -> None:
    async with (
        serve(lambda _: Front(Accounts()), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, PublicApiStub) as api,
    ):
        authed = await api.authenticate("secret")
        [session] = (await inspection.sessions("", "newest", 0, 10)).rows
        tables = await inspection.tables(session.id)
        held = {(row.direction, row.kind, row.name) for row in tables.rows}
        assert ("export", "main", "PublicApi") in held
        assert ("export", "object", "AuthedApi") in held
        authed.dispose()
    assert tables.session is not None


async def test_sessions_are_found_ordered_and_given_in_parts() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as server, looking(server) as inspection:
        clients = [connect(server.url, ExampleStub) for _ in range(5)]
        for client in clients:
            await (await client.__aenter__()).add(1, 2)
        newest = await inspection.sessions("", "newest", 1, 2)
        assert (newest.total, newest.matching, [row.id for row in newest.rows]) == (5, 5, [4, 3])
        found = await inspection.sessions("#3", "busiest", 0, 10)
        assert (found.total, found.matching, [row.id for row in found.rows]) == (5, 1, [3])
        assert (await inspection.tables(99)).session is None
        for client in clients:
            await client.__aexit__(None, None, None)


async def test_rates_and_bounds_are_told() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await example.add(1, 2)
        overview = await inspection.overview()
    assert (overview.rates[-1].sessions, overview.rates[-1].calls) == (1, 1)
    assert {bound.name for bound in overview.bounds} >= {"connections", "sessions", "calls", "held_bytes"}
