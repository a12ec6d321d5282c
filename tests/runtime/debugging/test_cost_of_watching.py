"""What sampling adds to a call, in counts that no machine changes; and that nothing is added where nobody watches."""

from __future__ import annotations

import sys

import pytest

from capnweb_runtime import Sampling
from capnweb_runtime.core.session import Session
from capnweb_runtime.debugging.mode import debug_logger
from capnweb_runtime.debugging.settings import Debug
from capnweb_runtime.driving.connection import Connection
from tests.bench.debugging import MODES, main, table
from tests.bench.server import Api
from tests.runtime.cost import WARM_UP, Cost, Operation, add_at_client, add_at_server, counted, kept
from tests.runtime.test_cost import RECORDED_ON


async def cost(operation: Operation) -> Cost:
    for _ in range(WARM_UP):
        operation()
    return await counted(operation)


async def test_a_call_that_is_not_sampled_costs_one_function_call_more() -> None:
    plain, watched = await cost(add_at_client(False)), await cost(add_at_client(Sampling()))
    slack = 1 if sys.version_info[:2] == RECORDED_ON else 3  # other versions count otherwise
    assert watched.calls - plain.calls <= slack
    assert watched.instructions - plain.instructions <= 25 * slack


async def test_to_answer_a_call_costs_the_same_when_sampled() -> None:
    assert await cost(add_at_server(False)) == await cost(add_at_server(Sampling()))


@pytest.mark.parametrize("debug", [Sampling(), Sampling(every=1), True])
async def test_what_is_noted_is_not_left_behind(debug: Debug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debug_logger, "disabled", True)  # the lines themselves are kept by pytest
    for operation in (add_at_client(debug), add_at_server(debug)):
        assert await kept(operation) < 150  # of 200 operations


async def test_nothing_is_in_the_way_where_nobody_watches() -> None:
    connection = Connection(Api())
    assert type(connection.session) is Session
    assert connection._taps == ()


async def test_every_mode_is_measured() -> None:
    rows = await table(1, 2)
    assert [mode for _, mode, _, _ in rows] == [*MODES, *MODES]
    assert all(taken > 0 for _, _, taken, _ in rows)


def test_the_command_prints_the_table_of_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rounds", "1", "--calls", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 * len(MODES)
    assert lines[0] == "| operation | watched | µs | more |"
