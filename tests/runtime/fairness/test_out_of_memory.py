"""A MemoryError ends the session that asked for what there was no memory for, once, with one line in the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core import payload, remap
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.driving.host import HostBase
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.observe import Observer
from tests.runtime.pair import Side


class Greedy:
    """A value that cannot be encoded."""


class _GreedyCodec(type(rpc.INT)):  # type: ignore[misc]  # the class of a codec that has no public name
    def encode(self, value: Any, to: Any) -> Any:
        raise MemoryError

    def decode(self, wire: Any, source: Any) -> Any:
        raise MemoryError


GREEDY = _GreedyCodec()


class MainSpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    run = rpc.method("run", rpc.INT)
    wait = rpc.method("wait", rpc.INT)
    give = rpc.method("give", GREEDY)
    take = rpc.method("take", rpc.INT, rpc.param("value", GREEDY))


class Main(rpc.RpcTarget, spec=MainSpec):
    def __init__(self) -> None:
        self.waiting: list[Cell[Any]] = []

    def add(self, a: int, b: int) -> int:
        return a + b

    def run(self) -> int:
        raise MemoryError

    def wait(self) -> Any:
        self.waiting.append(Cell())
        return self.waiting[-1]

    def give(self) -> Any:
        return [Greedy()]

    def take(self, value: Any) -> int:
        return 1


def call(name: str, *args: Any) -> Any:
    return ["push", ["pipeline", 0, [name], list(args)]]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def no_memory(*args: Any, **kwargs: Any) -> Any:
    raise MemoryError


def assert_ended(side: Side, log: pytest.LogCaptureFixture) -> None:
    assert isinstance(side.session.reason, LimitExceeded)
    assert "out of memory" in str(side.session.reason)
    [record] = log.records
    assert record.exc_info is None
    assert "out of memory when" in record.getMessage()
    aborts = [text for text in side.sent if json.loads(text)[0] == "abort"]
    assert len(aborts) == 1


@pytest.mark.parametrize(
    "messages",
    [
        [call("run")] * 50,
        [call("take", "text")] * 50,
        [message for number in range(1, 51) for message in (call("give"), ["pull", number])],
    ],
    ids=["in a method", "in a validator", "in the encoding of answers"],
)
def test_it_ends_the_session_once(messages: list[Any], log: pytest.LogCaptureFixture) -> None:
    side = Side(Main())
    side.host._observer = Observer()
    side.hear(*messages)
    assert_ended(side, log)


def test_in_calls_that_wait(log: pytest.LogCaptureFixture) -> None:
    main = Main()
    side = Side(main)
    side.host._observer = Observer()
    side.hear(*[call("wait")] * 50, *[["pull", number] for number in range(1, 51)])
    for waiting in main.waiting:
        waiting.reject(MemoryError())
    side.take()
    assert_ended(side, log)


def test_in_a_message(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("capnweb_runtime.core.session.fast_loads", no_memory)
    side = Side(Main())
    side.hear(*[call("add", 1, 2)] * 50)
    assert_ended(side, log)


def test_in_a_map(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(Main())
    monkeypatch.setattr(remap, "branch", no_memory)
    side.hear(["push", [[1, 2]]], ["push", ["remap", 1, [], [], [1]]], ["push", ["pipeline", 2]], ["pull", 3])
    assert_ended(side, log)


def test_in_a_copy(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(Main())
    monkeypatch.setattr(payload, "written_work", no_memory)
    monkeypatch.setattr(payload, "charge_written", no_memory)
    side.hear(["push", [[1, 2]]], ["push", [[["pipeline", 1], ["pipeline", 1]]]], ["pull", 2])
    assert_ended(side, log)


def test_where_even_the_last_word_takes_too_much(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(Main())
    monkeypatch.setattr("capnweb_runtime.core.exchange.fast_dumps", no_memory)
    side.hear(call("add", 1, 2), ["pull", 1])
    assert side.session.closed
    assert side.closed_with == [side.session.reason]


def test_another_session_is_not_told(log: pytest.LogCaptureFixture) -> None:
    greedy, other = Side(Main()), Side(Main())
    greedy.hear(call("run"))
    assert other.hear(call("add", 1, 2), ["pull", 1]) == ['["resolve",1,3]']
    assert isinstance(greedy.host, HostBase)
