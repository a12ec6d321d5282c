"""Values of the common libraries, with the npm package at the other end: they are the strings, dates and objects that
TypeScript has, and what its receiver drops is not sent.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, datetime
from ipaddress import IPv4Interface, IPv6Address
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest
from pydantic import HttpUrl, PostgresDsn

from capnweb_runtime import AnyStub, connect, serve
from capnweb_runtime.values import FORBIDDEN_KEYS
from tests.gen.golden.dictionary_keys.expected import StoreStub
from tests.gen.golden.dictionary_keys.schema import Number, User, UserId
from tests.gen.golden.moments.expected import CalendarStub
from tests.gen.golden.value_types.expected import RegistryStub
from tests.gen.golden.value_types.schema import Card, Cash, Kind
from tests.gen.test_values import EVENT, MS, NOON, SITE, Registry
from tests.interop.node import program
from tests.needs import needs_node

pytestmark = needs_node


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with program("values.mjs", "serve") as reference:
        port = (await reference.line()).removeprefix("listening ")
        yield f"ws://127.0.0.1:{port}/"


async def test_texts_with_rules_are_strings_there(url: str) -> None:
    async with connect(url, RegistryStub) as registry:
        assert await registry.database == PostgresDsn("postgres://u:p@h1,h2/db")
        sent = SITE.model_copy(update={"settings": [1, {"a": None}]})
        came = await registry.save(sent)
        assert came == sent.model_copy(
            update={
                "home": HttpUrl("https://example.org/a?seen"),
                "settings": {"was": [1, {"a": None}], "type": "string"},
            }
        )
        assert await registry.interfaces(IPv6Address("::1")) == [IPv4Interface("192.0.2.1/24")]
        assert await registry.paths(Path("/srv")) == {"here": PurePosixPath("/srv/a")}
        assert await registry.pay(Card(number="4012")) == Cash()
        assert await registry.kind(Kind.CARD) is Kind.CASH
        assert await registry.put({"a": [1, "b"]}) == [{"a": [1, "b"]}, {"a": [1, "b"]}]


async def test_keys_of_any_kind_are_keys_of_objects_there(url: str) -> None:
    async with connect(url, StoreStub) as store:
        assert await store.users({UserId("ada"): 36}) == {"ada": User(name="ada 36")}
        users = store.numbers({Number(-5): "less", Number(2**60): "more"})
        assert await users == {-5: User(name="less"), 2**60: User(name="more")}
        assert await users[-5].name == "less"
        assert await store.days({date(2024, 1, 31): UUID(int=1)}) == {UUID(int=1): date(2024, 1, 31)}


async def test_datetimes_are_dates_or_strings_there(url: str) -> None:
    async with connect(url, CalendarStub) as calendar:
        came = await calendar.add(EVENT)
        assert (came.at, came.rounded, came.measured) == (MS, NOON.replace(microsecond=124_000), NOON)
        assert came.wall_clock == NOON.replace(tzinfo=None)
        assert await calendar.local(datetime(2024, 1, 2, 3)) == datetime(2025, 1, 2, 3)
        assert await calendar.log(NOON, None) == MS


async def test_keys_that_objects_inherit_there_are_dropped_by_each_receiver_and_not_sent_from_here(url: str) -> None:
    async with connect(url, AnyStub) as peer:
        assert await peer.call("sent") == {"kept": 1}
        for key in FORBIDDEN_KEYS:
            with pytest.raises(TypeError, match=rf"argument '1.a': expected keys that peers keep, got '{key}'"):
                await peer.call("put", {"a": {key: 1}})


async def test_a_client_there_gets_and_gives_what_the_schema_says() -> None:
    async with (
        serve(lambda peer: Registry(), "127.0.0.1", 0, path="/rpc") as server,
        program("values.mjs", "call", server.url) as reference,
    ):
        came = [json.loads(line) for line in await reference.rest()]
    site = {"home": "https://example.org/a", "own": None, "hosts": ["192.0.2.1"], "root": "/srv"}
    scheme = "URL scheme should be 'http' or 'https'"
    assert came == [
        "postgres://u:p@h1,h2/db",
        {**site, "settings": [1, {"a": None}]},
        f"TypeError: argument 'site.home': expected HttpUrl as a string ({scheme}), got str 'gopher://x'",
        "TypeError: argument 'site.settings.at': expected a value of JSON, got a date",
        ["192.0.2.1/24"],
        {"kind": "card", "number": "4012"},
        "card",
        "TypeError: argument 'kind': expected Kind, one of 'card', got str 'cash'",
    ]
