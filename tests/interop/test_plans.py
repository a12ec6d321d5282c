"""Plans against a server of the npm package, which does not know of them: refused before anything runs, and then
carried out from here.
"""

from __future__ import annotations

import pytest

from capnweb_runtime import connect
from capnweb_runtime.plans import gt, plan, repeat, when
from tests.interop.node import program
from tests.needs import needs_node
from tests.runtime.example import CounterStub

pytestmark = needs_node


async def test_nothing_of_a_plan_has_run_when_it_is_refused() -> None:
    async with program("plans.mjs") as server:
        url = f"http://127.0.0.1:{(await server.line()).split()[1]}/"
        async with connect(url, CounterStub) as counter:  # a batch ends with its answer, so that there is no other try
            promise = plan(
                counter, lambda p: when(gt(p.increment(7), 1), lambda: p.increment(8), lambda: p.increment(9))
            )
            with pytest.raises(TypeError, match="unknown special value: "):
                await promise
        async with connect(url, CounterStub) as counter:
            assert await counter.increment(1) == 1
        await server.expect("incremented 1")


async def test_the_session_goes_on_and_the_plan_call_by_call() -> None:
    async with (
        program("plans.mjs") as server,
        connect(f"ws://127.0.0.1:{(await server.line()).split()[1]}/", CounterStub) as counter,
    ):
        chosen = plan(counter, lambda p: when(gt(p.increment(7), 6), lambda: p.increment(8), lambda: p.increment(9)))
        assert await chosen == 15
        grown = plan(
            counter,
            lambda p: repeat(p.increment(1), while_=lambda n: gt(20, n), do=lambda n: p.increment(n), at_most=9),
        )
        assert await grown == 32
        assert await counter.increment(2) == 34
        await server.expect(*(f"incremented {n}" for n in (7, 8, 1, 16, 2)))
