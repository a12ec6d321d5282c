"""Open types on the command line: a server may know values that its description does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_gen.client.asking import ask
from capnweb_gen.client.described import Described, main_objects
from capnweb_gen.client.expression import parse
from capnweb_gen.client.plan import Planner
from capnweb_gen.frontends.ir_json import read_ir
from capnweb_runtime import AnyStub
from capnweb_runtime.schema import Unknown
from capnweb_runtime.transports import memory
from tests.gen.golden.open_types.expected import StudioTarget
from tests.gen.golden.open_types.schema import Circle, Colour
from tests.gen.golden_cases import GOLDEN


@pytest.mark.parametrize(
    ("text", "arrived"),
    [
        ("paint('red')", Colour.RED),
        ("paint('green')", Unknown("green")),
        ("add({'kind': 'circle', 'radius': 1})", Circle(radius=1)),
        ("add({'kind': 'star'})", Unknown({"kind": "star"})),
    ],
)
def test_what_a_later_server_may_know_is_sent_as_it_is_written(text: str, arrived: Any) -> None:
    asyncio.run(_asked(text, arrived))


async def _asked(text: str, arrived: Any) -> None:
    got: list[Any] = []

    def keep(self: object, value: Any) -> Any:
        got.append(value)
        return value

    target = type("Studio", (StudioTarget,), dict.fromkeys(StudioTarget.__abstractmethods__, keep))
    schemas, faults = read_ir([GOLDEN / "open_types/ir.json"])
    assert not faults
    described = Described(schemas, main_objects(schemas, "Studio"))
    ends = memory.pair(target(), None, errors="all")
    main = AnyStub(ends[1].session.remote_main)
    await ask(main, Planner(described).plan(parse(text)), {})
    main.dispose()
    for side in ends:
        await side.wait_closed()
    assert got == [arrived]
