"""Random hostile plans: each ends within its budget, ends its call or at most its session, and leaves nothing behind.
What is done is counted, in units that the account charges, in calls of the target's and in calls of functions; no clock
is asked. `make nightly` takes 10,000 of them, and `make attack ATTACKS='hostile plans'` measures others beside them.
"""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from hypothesis import settings

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.account import BYTES_PER_UNIT
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.core.remap import WORK_PER_STEP
from capnweb_runtime.limits import Limits
from tests.attack.hostile_plans import KINDS, hostile_plan
from tests.runtime.example import Counter
from tests.runtime.fairness.test_cost_of_messages import CALLS_PER_MESSAGE, CALLS_PER_UNIT
from tests.runtime.fairness.test_cost_of_messages import Counter as CallCounter
from tests.runtime.pair import Side

LIMITS = Limits(message_work=5_000, map_steps=2_000, plan_calls=100, exports=2_000, imports=2_000)
PLANS = 10_000 if settings().max_examples >= 10_000 else 300
PARTS = 10
SEED = 18


class PreySpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    echo = rpc.method("echo", rpc.ANY, rpc.param("value", rpc.ANY))
    text = rpc.method("text", rpc.STR, rpc.param("length", rpc.INT))
    yes = rpc.method("yes", rpc.BOOL)
    counters = rpc.method("counters", rpc.ANY, rpc.param("count", rpc.INT))
    fail = rpc.method("fail", rpc.NONE, rpc.param("message", rpc.STR))
    later = rpc.method("later", rpc.INT, rpc.param("value", rpc.INT))


class Prey(rpc.RpcTarget, spec=PreySpec):
    """What hostile plans are applied to.

    Attributes:
        calls: how many there were.
        waiting: those that have not returned.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.waiting: list[Cell[int]] = []

    def add(self, a: int, b: int) -> int:
        self.calls += 1
        return a + b

    def echo(self, value: object) -> object:
        self.calls += 1
        return value

    def text(self, length: int) -> str:
        self.calls += 1
        return "x" * min(length, 100)

    def yes(self) -> bool:
        self.calls += 1
        return True

    def counters(self, count: int) -> list[Counter]:
        self.calls += 1
        return [Counter(number) for number in range(min(count, 20))]

    def fail(self, message: str) -> None:
        self.calls += 1
        raise ValueError(message)

    def later(self, value: int) -> Cell[int]:
        self.calls += 1
        self.waiting.append(Cell())
        return self.waiting[-1]


class Attacked:
    """A side that takes plans, one after the other, until one ends its session.

    Attributes:
        answered: how many plans had a result, were rejected, and ended the session.
    """

    def __init__(self) -> None:
        self.answered = {"resolve": 0, "reject": 0, "abort": 0}
        self._begin()

    def _begin(self) -> None:
        self.prey = Prey()
        self.side = Side(self.prey, LIMITS)
        self.side.session.begin_plan = run_plan
        self.before = self.side.host.held.bytes

    def take(self, plan: list[Any]) -> None:
        """Sends a plan, asks for its result, and asserts that it has been within its budget and is gone."""
        side, prey = self.side, self.prey
        text = json.dumps(["push", ["remap", 0, [], [["export", -1]], plan]])
        spent, prey.calls = side.host.account.spent, 0
        counter, messages = CallCounter(), 2
        with counter.on():
            side.session.receive(text)
            side.session.receive(json.dumps(["pull", side.session.calls_received]))
        answers = side.take()
        while prey.waiting or self._asked():
            refusal = [json.dumps(["reject", number, ["error", "Error", "no"]]) for number in self._asked()[:1]]
            with counter.on():
                if prey.waiting:
                    prey.waiting.pop().resolve(1)
                else:
                    side.session.receive(refusal[0])
            messages += 1
            answers += side.take()
        units = side.host.account.spent - spent
        reading = len(text) // BYTES_PER_UNIT + LIMITS.message_work
        assert units <= reading + LIMITS.message_work + 2 * WORK_PER_STEP * LIMITS.map_steps
        assert prey.calls <= LIMITS.plan_calls + LIMITS.map_steps
        messages += len(answers) + prey.calls
        assert counter.calls <= CALLS_PER_UNIT * units + CALLS_PER_MESSAGE * messages
        self._answered(side, answers)

    def _asked(self) -> list[int]:
        """What the peer has been asked for."""
        return [number for number, entry in self.side.session._imports.items() if entry.waiting]

    def _answered(self, side: Side, answers: list[str]) -> None:
        heard = [json.loads(answer) for answer in answers]
        call = side.session.calls_received
        ends = [kind for kind, *rest in heard if kind == "abort" or (kind in self.answered and rest[0] == call)]
        assert len(ends) == 1, answers
        self.answered[ends[0]] += 1
        if ends[0] == "abort":
            gc.collect()
            assert (side.host.running, side.host.held.bytes) == (0, 0)
            self._begin()
            return
        self._let_go(side)

    def _let_go(self, side: Side) -> None:
        """What the peer has got it gives back; then there is nothing left."""
        while True:
            exports = [["release", number, entry.refcount] for number, entry in side.session._exports.items() if number]
            side.hear(*exports)
            if not exports:
                break
        side.host.collect()
        side.take()
        side.assert_empty()
        assert side.host.running == 0
        if side.host.held.bytes > self.before:
            gc.collect()  # what was refused by others than the plan, such as a map in it, may be in a cycle
        assert side.host.held.bytes <= self.before


@pytest.mark.parametrize("part", range(PARTS))
def test_every_plan_ends_within_its_budget_and_leaves_nothing(part: int) -> None:
    attacked = Attacked()
    for number in range(part, PLANS, PARTS):
        try:
            attacked.take(hostile_plan(SEED, number))
        except BaseException as error:
            error.add_note(f"hostile_plan({SEED}, {number})")
            raise
    assert min(attacked.answered["resolve"], attacked.answered["reject"]) > 0
    print(attacked.answered)


def test_there_are_plans_of_every_kind() -> None:
    assert len(KINDS) >= 10
