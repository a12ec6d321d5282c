"""Stubs and promises without a schema."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from capnweb_runtime import AnyPromise, AnyStub, DisposedError
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.interface import method
from capnweb_runtime.objects.any_stub import CallbackPromise, StubPromise, as_stub, unwrap
from tests.runtime.conftest import Join
from tests.runtime.example import CALL_INT, Book, Counter, CounterStub, Desk
from tests.runtime.pair import Pair, begin, outcome


def joined(join: Join, main: Desk | None = None) -> tuple[Pair, AnyStub]:
    pair = join(None, main or Desk())
    return pair, pair.a.main(AnyStub)


def sent(pair: Pair) -> str:
    return "".join(pair.a.sent)


class TestCalls:
    def test_a_method_is_called_by_its_name_on_the_wire(self, join: Join) -> None:
        pair, desk = joined(join)
        assert pair.wait(desk.call("add", 1, 2)) == 3
        assert pair.a.sent[0] == '["push",["pipeline",0,["add"],[1,2]]]'

    def test_a_path_leads_to_a_method_further_in(self, join: Join) -> None:
        pair, desk = joined(join)
        assert pair.wait(desk.call(("home", "increment"), 5)) == 105
        assert pair.a.sent[0] == '["push",["pipeline",0,["home","increment"],[5]]]'

    def test_a_name_with_a_dot_is_one_name(self, join: Join) -> None:
        pair, desk = joined(join)
        with pytest.raises(TypeError, match=r"'home.increment' is not a function"):
            pair.wait(desk.call("home.increment", 5))

    def test_nothing_is_sent_for_a_property_until_it_is_used(self, join: Join) -> None:
        pair, desk = joined(join)
        best = desk.get("best")
        assert pair.a.take() == []
        assert pair.wait(best.get("title")) == "Emma"
        assert pair.a.sent[0] == '["push",["pipeline",0,["best","title"]]]'

    def test_items_of_a_result_are_promises(self, join: Join) -> None:
        pair, desk = joined(join)
        books = desk.call("books")
        assert pair.wait(books[1]["title"]) == "Ulysses"
        assert pair.wait(books.get((0, "place", "x"))) == 1

    def test_a_result_is_used_before_it_arrives(self, join: Join) -> None:
        pair, desk = joined(join)
        assert pair.wait(desk.call("counter", 3).call("increment", desk.call("add", 1, 1))) == 5
        assert pair.a.session.stats().round_trips == 1

    def test_a_model_is_sent_as_an_object_only_by_a_typed_stub(self, join: Join) -> None:
        pair, desk = joined(join)
        with pytest.raises(TypeError, match="Cannot serialize value"):
            _ = desk.call("describe", Book(title="a", pages=1))
        assert pair.wait(desk.call("describe", {"title": "a", "pageCount": 1})) == "a, 1 pages"

    def test_arguments_are_checked_at_the_other_end(self, join: Join) -> None:
        pair, desk = joined(join)
        with pytest.raises(TypeError, match=r"argument 'a': expected int, got str 'one'"):
            pair.wait(desk.call("add", "one", 2))

    def test_keywords_are_refused_with_a_word_on_what_to_do(self, join: Join) -> None:
        _, desk = joined(join)
        call: Any = desk.call
        with pytest.raises(TypeError):
            call("search", text="x")

    def test_a_map_over_any_value(self, join: Join) -> None:
        pair, desk = joined(join)
        assert pair.wait(desk.call("ints", 3).map(lambda n: desk.call("add", n, 10))) == [10, 11, 12]
        assert pair.wait(desk.call("books").map(lambda book: book["title"])) == ["Emma", "Ulysses"]


class TestValues:
    def test_capabilities_in_untyped_values_are_bare_stubs(self, join: Join) -> None:
        pair, desk = joined(join)
        counter = pair.wait(desk.call("counter", 4))
        assert type(counter) is AnyStub
        assert pair.wait(counter.call("increment")) == 5
        assert pair.wait(counter.get("value")) == 5
        counter.dispose()

    def test_a_function_in_a_value_is_called(self, join: Join) -> None:
        desk = Desk()
        seen: list[bool] = []
        desk.echo = lambda value: seen.append(isinstance(value("a", [1]), AnyPromise))  # type: ignore[method-assign]  # this test's behaviour
        pair, stub = joined(join, desk)
        got: list[Any] = []
        pair.wait(stub.call("echo", lambda *args: got.append(args)))
        pair.run()
        assert got == [("a", [1])]
        assert seen == [True]

    def test_a_duplicate_lives_on_its_own(self, join: Join) -> None:
        pair, desk = joined(join)
        counter = pair.wait(desk.call("counter", 4))
        with counter.dup() as second:
            assert type(second) is AnyStub
            counter.dispose()
            assert pair.wait(second.call("increment")) == 5
            with pytest.raises(DisposedError):
                pair.wait(counter.call("increment"))

    def test_it_is_passed_as_an_argument(self, join: Join) -> None:
        pair, desk = joined(join)
        counter = pair.wait(desk.call("counter", 4))
        assert pair.wait(desk.call("use", counter, 2)) == 6
        assert '["import",-1]' in sent(pair)
        counter.dispose()

    def test_unwrap_knows_our_own_objects_only(self, join: Join) -> None:
        pair, desk = joined(join)
        counter = Counter(1)
        home, peers = pair.wait(desk.call("echo", [counter, desk.call("counter")]))
        assert unwrap(home, Counter) is counter
        assert unwrap(home, object) is counter
        assert unwrap(home, Desk) is None
        assert unwrap(peers, Counter) is None
        assert unwrap(peers, object) is None
        home.dispose()
        peers.dispose()
        assert unwrap(home, Counter) is None

    def test_as_stub_tells_the_class_of_a_stub(self, join: Join) -> None:
        pair, desk = joined(join)
        held: object = pair.wait(desk.call("counter"))
        assert as_stub(held, AnyStub) is held
        with pytest.raises(TypeError, match="expected CounterStub, got AnyStub"):
            as_stub(held, CounterStub)
        as_stub(held, AnyStub).dispose()


class TestCodecs:
    """What generated code uses for `Any`, any capability, and functions in results."""

    class Spec(rpc.Interface):
        anything = method("anything", rpc.ANY)
        capability = method("capability", rpc.STUB)
        function = method("function", CALL_INT)

    def calls(self, hook: Any) -> Any:
        spec = self.Spec

        class Calls(rpc.RpcStub, rpc.Calls):
            def anything(self) -> AnyPromise:
                return self._call(spec.anything)

            def capability(self) -> StubPromise:
                return self._call(spec.capability)

            def function(self) -> CallbackPromise[[int], int]:
                return self._call(spec.function)

        return Calls(hook)

    def target(self, **results: Any) -> rpc.RpcTarget:
        class Target(rpc.RpcTarget, spec=self.Spec):
            def anything(self) -> Any:
                return results["anything"]

            def capability(self) -> Any:
                return results["capability"]

            def function(self) -> Any:
                return results["function"]

        return Target()

    def test_any_result_is_a_bare_promise(self, join: Join) -> None:
        pair = join(None, self.target(anything={"a": [1, 2]}))
        promise = pair.a.main(self.calls).anything()
        assert isinstance(promise, AnyPromise)
        assert pair.wait(promise["a"][1]) == 2

    @pytest.mark.parametrize("capability", [Counter(1), lambda n: n + 1], ids=["a target", "a function"])
    def test_any_capability_awaits_to_a_bare_stub(self, join: Join, capability: Any) -> None:
        pair = join(None, self.target(capability=capability))
        promise = pair.a.main(self.calls).capability()
        assert isinstance(promise, StubPromise)
        stub = pair.wait(promise)
        assert type(stub) is AnyStub
        assert pair.wait(stub.call("increment", 1) if isinstance(capability, Counter) else stub(1)) == 2
        stub.dispose()

    @pytest.mark.parametrize("value", [7, "text", None, {"a": 1}, Counter])
    def test_what_is_no_capability_is_refused(self, join: Join, value: Any) -> None:
        pair = join(None, self.target(capability=value))
        with pytest.raises(TypeError, match="expected a capability"):
            pair.wait(pair.a.main(self.calls).capability())

    def test_a_promised_function_is_called_before_it_arrives(self, join: Join) -> None:
        pair = join(None, self.target(function=lambda n: n * 2))
        promise = pair.a.main(self.calls).function()
        assert isinstance(promise, CallbackPromise)
        doubled = promise(21)
        begin(doubled)
        pair.run()
        assert outcome(doubled) == 42
        function = pair.wait(promise)
        assert pair.wait(function(4)) == 8
        function.dispose()

    def test_a_function_that_may_be_none_is_called_with_its_own_types(self, join: Join) -> None:
        codec = rpc.optional(rpc.callback(rpc.INT, rpc.INT))
        promise: Any = CallbackPromise(join(None, Desk()).a.session.remote_main, (), codec)
        with pytest.raises(TypeError, match="expected int, got str 'x'"):
            promise("x")


def test_promises_of_any_kind_are_awaitables_and_no_coroutines() -> None:
    for kind in (AnyPromise, StubPromise, CallbackPromise):
        assert hasattr(kind, "__await__")
        assert not inspect.iscoroutinefunction(kind.__call__)
