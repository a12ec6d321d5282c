"""Stubs and promises: who owns what, and when it is given back."""

from __future__ import annotations

import gc
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from capnweb_runtime import AnyStub, CallbackStub
from capnweb_runtime.errors import DisposedError, RpcError, SessionClosed
from tests.runtime.conftest import Join
from tests.runtime.example import Book, Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, Side, begin, outcome


class TestDispose:
    def test_a_stub_is_released_and_its_object_disposed(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        stub = pair.wait(pair.a.main(DeskStub).counter())
        stub.dispose()
        stub.dispose()
        pair.run()
        assert target.made[0].disposed == 1
        assert repr(stub) == "<CounterStub (disposed)>"

    def test_using_a_disposed_stub_fails_and_the_others_live(self, join: Join) -> None:
        pair = join(None, Desk())
        stub = pair.wait(pair.a.main(DeskStub).counter())
        with stub.dup() as second:
            stub.dispose()
            with pytest.raises(DisposedError):
                pair.wait(stub.increment())
            assert pair.wait(second.increment()) == 1

    def test_the_object_is_disposed_after_the_last_duplicate(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        stub = pair.wait(pair.a.main(DeskStub).counter())
        second, third = stub.dup(), stub.dup()
        for each in (stub, second):
            each.dispose()
            pair.run()
        assert target.made[0].disposed == 0
        third.dispose()
        pair.run()
        assert target.made[0].disposed == 1

    def test_a_stub_is_disposed_by_its_block(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        with pair.wait(pair.a.main(DeskStub).counter()) as stub:
            assert pair.wait(stub.increment()) == 1
        pair.run()
        assert target.made[0].disposed == 1

    def test_a_promise_that_is_disposed_before_it_is_answered_is_canceled(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        promise = pair.a.main(DeskStub).hold_counter("x")
        begin(promise)
        pair.run()
        promise.dispose()
        with pytest.raises(RpcError, match="canceled because the RpcPromise was disposed"):
            outcome(promise)
        pair.run()
        counter = Counter()
        target.held["x"].resolve(counter)
        pair.run()
        assert counter.disposed == 1

    def test_a_promise_that_crosses_its_answer_gives_the_capability_back(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        promise = pair.a.main(DeskStub).counter()
        begin(promise)
        while pair.step(pair.a):
            pass
        promise.dispose()
        pair.run()
        assert target.made[0].disposed == 1

    def test_capabilities_in_a_result_go_with_its_promise(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        promise = pair.a.main(DeskStub).counters(3)
        pair.wait(promise)
        promise.dispose()
        pair.run()
        assert [made.disposed for made in target.made] == [1, 1, 1]

    def test_a_promise_is_disposed_by_its_block(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        with pair.a.main(DeskStub).counter() as promise:
            assert pair.wait(promise.increment()) == 1
        pair.run()
        assert target.made[0].disposed == 1

    def test_disposing_an_attribute_leaves_the_whole(self, join: Join) -> None:
        pair = join(None, Desk())
        book = pair.a.main(DeskStub).book("Emma")
        title = book.title
        assert pair.wait(title) == "Emma"
        title.dispose()
        assert pair.wait(book.pages) == 474

    def test_a_disposed_promise_cannot_be_used(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        promise = desk.counter()
        promise.dispose()
        with pytest.raises(DisposedError):
            pair.wait(promise.increment())
        with pytest.raises(DisposedError):
            pair.wait(promise)

    def test_a_disposed_stub_as_an_argument_fails_the_call(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        stub = pair.wait(desk.counter())
        stub.dispose()
        with pytest.raises(DisposedError, match=r"^CounterStub was passed after it had been disposed at"):
            _ = desk.use(stub)
        promise = desk.counter()
        promise.dispose()
        with pytest.raises(DisposedError, match=r"^CounterPromise was passed after it had been disposed"):
            _ = desk.use(promise)

    def test_disposing_one_of_two_promises_of_a_call_leaves_the_results_of_others(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        counter = desk.counter(5)
        value = counter.value
        begin(value)
        counter.dispose()
        assert pair.wait(value) == 5
        assert target.made[0].disposed == 1


class TestArguments:
    """Parameters are lent for the time of the call; results are given."""

    def test_our_object_is_disposed_when_the_call_that_got_it_has_returned(self, join: Join) -> None:
        counter = Counter()
        pair = join(None, Desk())
        assert pair.wait(pair.a.main(DeskStub).use(counter, 2)) == 2
        pair.run()
        assert counter.disposed == 1

    def test_what_the_target_keeps_with_dup_stays(self, join: Join) -> None:
        counter = Counter()
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        pair.wait(desk.keep(counter))
        pair.run()
        assert counter.disposed == 0
        kept = pair.wait(desk.kept())
        assert pair.wait(kept.increment(3)) == 3
        assert counter.count == 3
        kept.dispose()
        pair.run()
        assert counter.disposed == 1

    def test_a_result_that_is_an_argument_stays(self, join: Join) -> None:
        counter = Counter()
        pair = join(None, Desk())
        home = pair.wait(pair.a.main(DeskStub).same(counter))
        assert counter.disposed == 0
        assert pair.wait(home.increment()) == 1
        home.dispose()
        pair.run()
        assert counter.disposed == 1

    def test_our_own_object_that_came_home_is_called_directly(self, join: Join) -> None:
        counter = Counter()
        pair = join(None, Desk())
        home = pair.wait(pair.a.main(DeskStub).same(counter))
        before = len(pair.a.sent)
        promise = home.increment(4)
        begin(promise)
        assert outcome(promise) == 4
        assert len(pair.a.sent) == before
        home.dispose()

    def test_a_stub_that_was_passed_stays_the_callers(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        stub = pair.wait(desk.counter(1))
        assert pair.wait(desk.use(stub, 1)) == 2
        assert pair.wait(desk.use(stub, 1)) == 3
        assert pair.wait(desk.totals([stub, stub, desk.counter(9)])) == [3, 3, 9]
        stub.dispose()
        pair.run()
        assert [made.disposed for made in target.made] == [1, 1]

    def test_a_wrong_argument_is_refused_before_anything_is_sent(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        wrong: Any = "1"
        with pytest.raises(TypeError, match=r"^argument 'a': expected int, got str '1'$"):
            _ = desk.add(wrong, 2)
        with pytest.raises(
            TypeError, match=r"^argument 'counters\[1\]': expected CounterTarget or CounterStub, got str '1'$"
        ):
            _ = desk.totals([Counter(), wrong])
        assert side.take() == []
        side.assert_empty()

    def test_what_was_exported_for_a_refused_call_is_given_back(self) -> None:
        counter = Counter()
        side = Side()
        wrong: Any = 5
        with pytest.raises(TypeError):
            _ = side.main(DeskStub).totals([counter, wrong])
        assert counter.disposed == 1

    def test_omitted_arguments_take_the_servers_default(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.search("x")) == ["x", -1, -2, False]
        assert pair.wait(desk.search("x", limit=3)) == ["x", -1, 3, False]
        assert pair.wait(desk.search("x", exact=True)) == ["x", -1, -2, True]
        assert pair.wait(desk.search("x", 1, 2, exact=False)) == ["x", 1, 2, False]

    def test_models_are_passed_by_value(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.describe(Book(title="t", pages=3))) == "t, 3 pages"
        assert pair.wait(desk.describe(desk.book("Emma"))) == "Emma, 474 pages"


class TestLeftBehind:
    def test_a_dropped_stub_is_released_with_a_warning(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        stub = pair.wait(pair.a.main(DeskStub).counter())
        with pytest.warns(ResourceWarning, match=r"CounterStub was dropped without dispose\(\)"):
            del stub
        pair.run()
        assert target.made[0].disposed == 1

    def test_a_dropped_duplicate_warns_too(self, join: Join) -> None:
        pair = join(None, Desk())
        with pair.wait(pair.a.main(DeskStub).counter()) as stub:
            second = stub.dup()
            with pytest.warns(ResourceWarning):
                del second

    def test_promises_arguments_and_disposed_stubs_are_dropped_silently(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            unasked = desk.counter()
            disposed = pair.wait(desk.counter())
            disposed.dispose()
            pair.wait(desk.use(Counter()))
            del unasked, disposed
            gc.collect()
        pair.run()
        assert [made.disposed for made in target.made] == [1, 1]

    def test_after_the_session_has_ended_nothing_warns(self) -> None:
        pair = Pair(None, Desk())
        stub = pair.wait(pair.a.main(DeskStub).counter())
        pair.a.session.abort(SessionClosed("lost"), notify=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del stub
            gc.collect()

    def test_a_stub_outlives_the_promise_that_it_came_from(self, join: Join) -> None:
        pair = join(None, Desk())
        promise = pair.a.main(DeskStub).counter()
        stub = pair.wait(promise)
        del promise
        gc.collect()
        pair.run()
        assert pair.wait(stub.increment()) == 1
        stub.dispose()


class TestBroken:
    def test_it_is_called_in_order_when_the_session_ends(self) -> None:
        pair = Pair(None, Desk())
        desk = pair.a.main(DeskStub)
        stub = pair.wait(desk.counter())
        promise = desk.hold("x")
        order: list[str] = []
        desk.on_broken(lambda error: order.append("main"))
        stub.on_broken(lambda error: order.append("stub"))
        promise.on_broken(lambda error: order.append("promise"))
        desk.on_broken(lambda error: order.append(f"main: {error}"))
        pair.a.session.abort(SessionClosed("lost"), notify=False)
        assert order == ["main", "stub", "promise", "main: lost"]
        stub.dispose()

    def test_it_moves_on_to_what_a_promise_resolves_to(self) -> None:
        pair = Pair(None, Desk())
        promise = pair.a.main(DeskStub).counter()
        got: list[str] = []
        promise.on_broken(lambda error: got.append(str(error)))
        stub = pair.wait(promise)
        assert got == []
        pair.a.session.abort(SessionClosed("lost"), notify=False)
        assert got == ["lost"]
        stub.dispose()

    def test_a_rejected_promise_is_broken(self, join: Join) -> None:
        pair = join(None, Desk())
        promise = pair.a.main(DeskStub).fail("no")
        got: list[str] = []
        promise.on_broken(lambda error: got.append(str(error)))
        with pytest.raises(ValueError, match="no"):
            pair.wait(promise)
        assert got == ["no"]

    def test_a_disposed_stub_is_broken(self, join: Join) -> None:
        pair = join(None, Desk())
        stub = pair.wait(pair.a.main(DeskStub).counter())
        stub.dispose()
        got: list[BaseException] = []
        stub.on_broken(got.append)
        assert [type(error) for error in got] == [DisposedError]


class TestWhatADisposedErrorSays:
    """Which class and member was used, where it had been disposed, and what to do."""

    USES: ClassVar[list[tuple[str, Callable[[Any], Any], str]]] = [
        ("call", lambda stub: stub.increment(), "CounterStub.increment was called"),
        ("property", lambda stub: stub.value, "CounterStub.value was read"),
        ("dup", lambda stub: stub.dup(), "CounterStub.dup was called"),
    ]

    @pytest.mark.parametrize(("use", "said"), [pytest.param(use, said, id=name) for name, use, said in USES])
    def test_of_a_stub(self, join: Join, use: Callable[[Any], Any], said: str) -> None:
        pair = join(None, Desk())
        stub = pair.wait(pair.a.main(DeskStub).counter())
        stub.dispose()
        line = inspect.stack()[0].lineno - 1
        with pytest.raises(DisposedError) as caught:
            pair.wait(use(stub))
        place = f"{__file__}:{line}"
        assert str(caught.value) == (
            f"{said} after the stub had been disposed at {place}; "
            "keep a dup() of a stub for what is still to come, and dispose that on its own"
        )

    async def test_of_a_block_that_was_left(self, join: Join) -> None:
        pair = join(None, Desk())
        with (stub := pair.wait(pair.a.main(DeskStub).counter())):
            pass
        with pytest.raises(DisposedError, match=re.escape(f"at {__file__}:")):
            pair.wait(stub.increment())
        async with (stub := pair.wait(pair.a.main(DeskStub).counter())):
            pass
        with pytest.raises(DisposedError, match=re.escape(f"at {__file__}:")):
            pair.wait(stub.increment())

    def test_of_an_argument_that_was_kept(self, join: Join) -> None:
        kept: list[CounterStub] = []

        class Keeping(Desk):
            def keep(self, counter: CounterStub) -> None:
                kept.append(counter)

        pair = join(None, Keeping())
        pair.wait(pair.a.main(DeskStub).keep(Counter()))
        with pytest.raises(DisposedError) as caught:
            pair.wait(kept[0].increment())
        assert str(caught.value).startswith(
            "CounterStub.increment was called after the stub had been disposed with the call or the result that it "
            "came in; keep a dup() of a stub"
        )
        with pytest.raises(DisposedError, match=r"^CounterStub\.dup was called after .* that it came in"):
            kept[0].dup()

    def test_of_a_promise(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        counter, book = desk.counter(), desk.book("Emma")
        counter.dispose()
        book.dispose()
        for use, said in (
            (counter.increment, "CounterPromise.increment was called after the promise had been disposed"),
            (lambda: counter.value, "CounterPromise.value was read after the promise had been disposed"),
            (lambda: book.title, "BookPromise.title was read after the promise had been disposed"),
            (lambda: book, "BookPromise was awaited after it had been disposed"),
        ):
            with pytest.raises(DisposedError) as caught:
                pair.wait(use())
            assert str(caught.value).startswith(said)

    def test_of_what_no_schema_describes(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = AnyStub(pair.a.main(DeskStub)._hook.dup())
        desk.dispose()
        with pytest.raises(DisposedError, match=r"^AnyStub\.add was called after the stub had been disposed at"):
            pair.wait(desk.call("add", 1, 2))
        with pytest.raises(DisposedError, match=r"^AnyStub\.best was read after the stub had been disposed at"):
            pair.wait(desk.get("best"))

    def test_of_a_callback(self, join: Join) -> None:
        kept: list[CallbackStub[[int], int]] = []

        class Keeping(Desk):
            def apply(self, function: CallbackStub[[int], int], value: int) -> Any:
                kept.append(function)
                return 0

        pair = join(None, Keeping())
        assert pair.wait(pair.a.main(DeskStub).apply(lambda n: n, 1)) == 0
        with pytest.raises(DisposedError, match=r"^CallbackStub\.__call__ was called after .* that it came in; keep"):
            pair.wait(kept[0](1))
