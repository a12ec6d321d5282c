"""Hot paths cost what they are known to cost: function calls and bytecode instructions of one operation, which are the
same on every machine, and memory blocks left behind, which are none.

Both directions fail: what became dearer has to be mended or justified, and what became cheaper has to be written down,
or it would be lost again unseen. `python -m tests.runtime.cost --write` writes the table.
"""

from __future__ import annotations

import sys

import pytest

from tests.runtime.cost import CYCLES, PATHS, Cost, measured

RECORDED_ON = (3, 11)
SLACK = 0.05
ORDER_OF_MAGNITUDE = 3.0
BUDGETS = {
    "add, at the client": Cost(calls=114, instructions=1895),
    "add, at the server": Cost(calls=75, instructions=1409),
    "64 pipelined chains": Cost(calls=15784, instructions=270013),
    "echo of 100 models": Cost(calls=2846, instructions=62379),
    "make, ping, dispose": Cost(calls=503, instructions=8718),
    "HTTP batch of 100 adds": Cost(calls=15149, instructions=257907),
    "stream of 32 chunks": Cost(calls=8121, instructions=124864),
}
UPDATE = "python -m tests.runtime.cost --write"


def complaint(path: str, what: str, count: int, budget: int, *, exact: bool) -> str | None:
    """What is to be said of a count; None if it keeps to its budget. Other versions of Python run other instructions:
    for them only the order of magnitude is known.
    """
    least, most = (1 - SLACK, 1 + SLACK) if exact else (1 / ORDER_OF_MAGNITUDE, ORDER_OF_MAGNITUDE)
    if budget * least <= count <= budget * most:
        return None
    verdict = "dearer" if count > budget else "cheaper"
    advice = "mend it, or if it has to be" if count > budget else "so that it stays so"
    return (
        f"{path}: {what} went from {budget} to {count}, {verdict} by {abs(count / budget - 1):.0%}; {advice}: {UPDATE}"
    )


@pytest.mark.parametrize("path", PATHS)
async def test_hot_path_keeps_to_its_budget_and_leaves_nothing_behind(path: str) -> None:
    assert path in BUDGETS, f"{path} has no budget; run: {UPDATE}"
    cost, blocks = await measured(path)
    exact = sys.version_info[:2] == RECORDED_ON
    budget = BUDGETS[path]
    complaints = [
        complaint(path, "function calls", cost.calls, budget.calls, exact=exact),
        complaint(path, "bytecode instructions", cost.instructions, budget.instructions, exact=exact),
    ]
    assert not any(complaints), "\n".join(filter(None, complaints))
    # One block for each operation would be a leak; fewer are what Python keeps for later.
    assert blocks < CYCLES * 3 // 4, f"{path}: {CYCLES} operations left {blocks} memory blocks behind"


def test_every_budget_is_that_of_a_path() -> None:
    assert list(BUDGETS) == list(PATHS), f"run: {UPDATE}"


def test_budget_is_exceeded_in_both_directions() -> None:
    assert complaint("path", "calls", 104, 100, exact=True) is None
    assert complaint("path", "calls", 96, 100, exact=True) is None
    dearer = complaint("path", "calls", 106, 100, exact=True)
    assert dearer == f"path: calls went from 100 to 106, dearer by 6%; mend it, or if it has to be: {UPDATE}"
    cheaper = complaint("path", "calls", 94, 100, exact=True)
    assert cheaper == f"path: calls went from 100 to 94, cheaper by 6%; so that it stays so: {UPDATE}"


def test_budget_of_another_python_is_an_order_of_magnitude() -> None:
    assert complaint("path", "calls", 290, 100, exact=False) is None
    assert complaint("path", "calls", 310, 100, exact=False) is not None
    assert complaint("path", "calls", 30, 100, exact=False) is not None


async def test_cost_of_what_does_more_is_higher() -> None:
    client, _ = await measured("add, at the client")
    batch, _ = await measured("HTTP batch of 100 adds")
    assert Cost(0, 0) != client
    assert batch.calls > 50 * client.calls
    assert batch.instructions > 50 * client.instructions
