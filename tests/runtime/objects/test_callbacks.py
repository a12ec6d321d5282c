"""Functions, both ways: lent for a call, kept with dup, checked before they run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.errors import RpcError
from capnweb_runtime.objects.any_stub import CallbackPromise
from capnweb_runtime.objects.callbacks import CallbackCodec, CallbackStub
from tests.runtime.conftest import Join, JoinOnLoop
from tests.runtime.example import CALL_INT, Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Side, begin, outcome, pulled


def test_a_function_is_called_by_the_peer(join: Join) -> None:
    pair = join(None, Desk())
    assert pair.wait(pair.a.main(DeskStub).apply(lambda n: n * 2, 21)) == 42


def test_it_is_released_when_the_call_has_returned(join: Join) -> None:
    pair = join(None, Desk())
    pair.wait(pair.a.main(DeskStub).apply(lambda n: n, 1))
    pair.assert_empty()
    assert '["release",-1,1]' in pair.b.sent
    assert pair.b.sent.index('["release",-1,1]') < pair.b.sent.index('["resolve",1,1]')


def test_its_error_is_the_callers(join: Join) -> None:
    def failing(n: int) -> int:
        raise KeyError("mine")

    pair = join(None, Desk())
    with pytest.raises(KeyError, match="mine"):
        pair.wait(pair.a.main(DeskStub).apply(failing, 1))
    assert [where.split(".")[-1] for where, _ in pair.a.failures] == ["failing"]


def test_an_argument_of_the_wrong_type_does_not_reach_it() -> None:
    called: list[int] = []
    side = Side()
    promise = side.main(DeskStub).apply(called.append, 1)  # type: ignore[arg-type]  # it returns None
    side.take()
    (answer,) = side.hear(["push", ["pipeline", -1, [], ["x"]]], ["pull", 1])
    assert answer == (
        """["reject",1,["error","TypeError","argument 'argument 1': expected int, got str 'x'","""
        """null,{"path":[["argument 1"]],"expected":"int","actual":"str 'x'"}]]"""
    )
    assert called == []
    promise.dispose()


def test_a_result_of_the_wrong_type_is_an_error(join: Join) -> None:
    wrong: Any = lambda n: "text"  # noqa: E731
    pair = join(None, Desk())
    with pytest.raises(TypeError, match=r"result of .*: expected int, got str 'text'"):
        pair.wait(pair.a.main(DeskStub).apply(wrong, 1))


def test_a_capability_may_be_passed_to_it(join: Join) -> None:
    pair = join(None, Desk())
    assert pair.wait(pair.a.main(DeskStub).lend(lambda counter: counter.increment(2))) == 42


def test_what_it_got_is_given_back_when_it_returns(join: Join) -> None:
    target = Desk()
    pair = join(None, target)
    seen: list[CounterStub] = []

    def look(counter: CounterStub) -> int:
        seen.append(counter)
        return 1

    assert pair.wait(pair.a.main(DeskStub).lend(look)) == 1
    pair.run()
    assert target.made[0].disposed == 1
    late = seen[0].increment()
    with pytest.raises(Exception, match=r"was called after .* had been disposed with the call .*; keep a dup\(\)"):
        pair.wait(late)


def test_it_may_answer_later(join: Join) -> None:
    cell: Cell[int] = Cell()
    later: Any = lambda n: cell  # noqa: E731
    pair = join(None, Desk())
    promise = pair.a.main(DeskStub).apply(later, 1)
    begin(promise)
    pair.run()
    cell.resolve(8)
    pair.run()
    assert outcome(promise) == 8


class Keeper(Desk):
    """Keeps the callback beyond its call."""

    callback: Any = None

    def apply(self, function: Any, value: int) -> Any:
        self.callback = function.dup()
        return value


def test_one_that_is_kept_works_until_it_is_disposed(join: Join) -> None:
    target = Keeper()
    pair = join(None, target)
    calls: list[int] = []

    def note(n: int) -> int:
        calls.append(n)
        return n

    pair.wait(pair.a.main(DeskStub).apply(note, 0))
    assert pair.wait(target.callback(5)) == 5
    assert pair.wait(target.callback(6)) == 6
    assert calls == [5, 6]
    target.callback.dispose()
    pair.assert_empty()


def test_one_that_was_not_kept_cannot_be_called_later(join: Join) -> None:
    class Forgetful(Keeper):
        def apply(self, function: Any, value: int) -> Any:
            self.callback = function
            return value

    target = Forgetful()
    pair = join(None, target)
    pair.wait(pair.a.main(DeskStub).apply(lambda n: n, 0))
    with pytest.raises(Exception, match=r"was called after .* had been disposed with the call .*; keep a dup\(\)"):
        pair.wait(target.callback(5))


def test_arguments_are_checked_where_it_is_called(join: Join) -> None:
    target = Keeper()
    pair = join(None, target)
    pair.wait(pair.a.main(DeskStub).apply(lambda n: n, 0))
    with pytest.raises(TypeError, match="argument 'argument 1': expected int, got str 'x'"):
        target.callback("x")
    target.callback.dispose()


def test_a_callback_stub_is_passed_on(join: Join) -> None:
    target = Keeper()
    pair = join(Desk(), target)
    pair.wait(pair.a.main(DeskStub).apply(lambda n: n + 1, 0))
    back = pair.b.main(DeskStub)
    assert pair.wait(back.apply(target.callback, 4)) == 5
    target.callback.dispose()


def test_a_promised_function_is_passed_on_as_the_promise_that_it_is() -> None:
    side = Side()
    promise: Any = CallbackPromise(side.session.remote_main, ("function",), CALL_INT)
    answer = side.main(DeskStub).apply(promise, 1)
    assert side.take() == ['["push",["pipeline",0,["apply"],[["pipeline",0,["function"]],1]]]']
    answer.dispose()


def test_any_callable_will_do(join: Join) -> None:
    class Adder:
        def __call__(self, n: int) -> int:
            return n + 10

    pair = join(None, Desk())
    desk = pair.a.main(DeskStub)
    counter = Counter(5)
    assert pair.wait(desk.apply(Adder(), 1)) == 11
    assert pair.wait(desk.apply(counter.increment, 2)) == 7
    assert pair.wait(desk.apply(abs, -3)) == 3


def test_any_function_where_no_schema_says_so(join: Join) -> None:
    class Caller(Desk):
        def echo(self, value: Any) -> Any:
            return value("from there")

    pair = join(None, Caller())
    assert pair.wait(pair.a.main(DeskStub).echo(lambda text: text.upper())) == "FROM THERE"


def test_what_is_no_function_is_refused() -> None:
    wrong: Any = "name"
    with pytest.raises(TypeError, match="argument 'function': expected a function, got str 'name'"):
        _ = Side().main(DeskStub).apply(wrong, 1)


def test_decoding_gives_a_callback_stub() -> None:
    assert isinstance(CALL_INT, CallbackCodec)
    side = Side()
    hook = side.session.import_stub(-1)
    stub: CallbackStub[[int], int] = CallbackStub(hook, CALL_INT.method)
    promise = stub(5)
    assert side.take() == ['["push",["pipeline",-1,[],[5]]]']
    promise.dispose()
    stub.dispose()
    with pytest.raises(Exception, match="disposed"):
        pulled(stub(5)._hook)


async def test_an_async_function_is_awaited(join_on_loop: JoinOnLoop) -> None:
    async def slow(n: int) -> int:
        await asyncio.sleep(0)
        return n + 1

    class Calling(Desk):
        async def apply(self, function: Any, value: int) -> int:
            return int(await function(value) + await function(value))

    a, _ = join_on_loop(None, Calling())
    assert await a.main(DeskStub).apply(slow, 4) == 10


async def test_the_error_of_an_async_function_is_the_callers(join_on_loop: JoinOnLoop) -> None:
    async def failing(n: int) -> int:
        await asyncio.sleep(0)
        raise RpcError("mine", "MyError")

    class Calling(Desk):
        async def apply(self, function: Any, value: int) -> int:
            return int(await function(value))

    a, _ = join_on_loop(None, Calling())
    with pytest.raises(RpcError, match="mine") as caught:
        await a.main(DeskStub).apply(failing, 4)
    assert caught.value.name == "MyError"
