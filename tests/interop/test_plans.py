"""Plans against a server of the npm package, which does not know of them: refused before anything runs, and the session
goes on.
"""

from __future__ import annotations

import pytest

from capnweb_runtime import connect
from capnweb_runtime.plans import gt, plan, repeat, when
from tests.interop.node import program
from tests.needs import needs_node
from tests.runtime.example import CounterStub

pytestmark = needs_node


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_plan_is_refused_before_anything_runs(scheme: str) -> None:
    async with program("plans.mjs") as server:
        url = f"{scheme}://127.0.0.1:{(await server.line()).split()[1]}/"
        async with connect(url, CounterStub) as counter:
            promise = plan(
                counter, lambda p: when(gt(p.increment(7), 1), lambda: p.increment(8), lambda: p.increment(9))
            )
            with pytest.raises(TypeError, match="unknown special value: "):
                await promise
        async with connect(url, CounterStub) as counter:
            assert await counter.increment(1) == 1
        await server.expect("incremented 1")


async def test_the_session_goes_on() -> None:
    async with (
        program("plans.mjs") as server,
        connect(f"ws://127.0.0.1:{(await server.line()).split()[1]}/", CounterStub) as counter,
    ):
        for _ in range(2):
            promise = plan(
                counter,
                lambda p: repeat(p.increment(5), while_=lambda n: gt(20, n), do=lambda n: p.increment(n), at_most=9),
            )
            with pytest.raises(TypeError, match="unknown special value"):
                await promise
        assert await counter.increment(2) == 2
        await server.expect("incremented 2")
