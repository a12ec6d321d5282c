"""Plans against a server of the npm package, which does not know of them: refused before anything runs, and then
carried out from here.
"""

from __future__ import annotations

import asyncio
import re

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
            failed, count = await asyncio.gather(promise, counter.value, return_exceptions=True)
            assert isinstance(failed, TypeError)
            assert re.search("no other try: connect over WebSocket.*unknown special value", str(failed))
            assert count == 0  # the batch goes on
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


async def test_what_a_refused_plan_has_captured_is_given_back() -> None:
    """A stub and a promise, where the subject is a promise, too."""
    async with program("plans.mjs") as server:
        session = connect(f"ws://127.0.0.1:{(await server.line()).split()[1]}/", CounterStub)
        async with session as counter:
            captured, pending = await counter.itself(), counter.increment(1)
            for expected in (16, 31):  # the first plan is refused, the second not even tried
                chosen = plan(
                    counter.itself(),
                    lambda p: when(gt(p.increment(10), pending), lambda: captured.increment(5), lambda: p.increment(6)),
                )
                assert await chosen == expected
            captured.dispose()
            pending.dispose()
            del chosen
            assert await counter.increment(0) == 31
            assert (session.stats().imports, session.stats().exports) == (1, 1)
        await server.expect(*(f"incremented {n}" for n in (1, 10, 5, 10, 5, 0)))
