"""Trees of values: made plain, copied, followed, resolved; and who owns the capabilities in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import ANY, INT
from capnweb_runtime.core.compound import ListCodec
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.hook import Hook, Payload, PromiseRef
from capnweb_runtime.core.interface import Arguments
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import (
    Inside,
    branch,
    copy_branch,
    decode_arguments,
    decode_payload,
    encode_arguments,
    encode_payload,
    follow,
    make_plain,
    resolve_promises,
)
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.refs import PlainPromise, PlainStub
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import DisposedError
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.values import UNDEFINED, Request, Response
from tests.runtime.example import BOOK, COUNTER, LIST_COUNTER, SHELF, Counter, CounterStub
from tests.runtime.pair import Counted, SyncHost

HOST = SyncHost()


class Busy(SyncHost):
    """A host whose sessions have had their turn each time that anybody looks."""

    def __init__(self) -> None:
        super().__init__()
        self.account.has_had_turn = lambda: True
        self.waiting: list[Callable[[], object]] = []

    def put_off(self, work: Callable[[], object]) -> None:
        self.waiting.append(work)

    def take_turns(self) -> int:
        """Does what was put off, each in a turn; how many it took."""
        count = 0
        while self.waiting:
            count += 1
            self.account.begin_turn()
            self.waiting.pop(0)()
        return count


def promise_of(cell: Cell[Hook]) -> PlainPromise:
    return PlainPromise(PromiseHook(cell, HOST))


def value_hook(value: Any) -> Hook:
    return PayloadHook(Payload(value), HOST)


def resolved_with(value: Any) -> PlainPromise:
    return PlainPromise(PayloadHook(copy_branch(value), HOST))


class TestEncoding:
    def test_a_typed_payload_is_encoded_by_its_codec(self) -> None:
        assert encode_payload(Payload((1, 2), ListCodec(INT)), Loopback(HOST)) == [[1, 2]]
        with pytest.raises(Mismatch):
            encode_payload(Payload(["x"], ListCodec(INT)), Loopback(HOST))

    def test_a_plain_payload_is_encoded_by_what_is_in_it(self) -> None:
        assert encode_payload(Payload({"a": [1]}), Loopback(HOST)) == {"a": [[1]]}

    def test_arguments_are_a_bare_list(self) -> None:
        arguments = Arguments((rpc.param("a", ListCodec(INT)),))
        assert encode_arguments(Payload((([1],), {}), arguments), Loopback(HOST)) == [[[1]]]
        assert encode_arguments(Payload([[1], 2]), Loopback(HOST)) == [[[1]], 2]


class TestMakePlain:
    def test_a_model_becomes_an_object(self) -> None:
        payload = Payload(SHELF[1], BOOK)
        make_plain(payload, HOST)
        assert payload.value == {"title": "Ulysses", "pageCount": 730, "tags": [], "place": None}
        assert payload.codec is None

    def test_a_plain_payload_stays_as_it_is(self) -> None:
        value = {"a": 1}
        payload = Payload(value)
        make_plain(payload, HOST)
        assert payload.value is value

    def test_a_target_becomes_a_stub_that_the_payload_owns(self) -> None:
        counter = Counter()
        payload = Payload([counter], LIST_COUNTER)
        make_plain(payload, HOST)
        assert type(payload.value[0]) is PlainStub
        payload.dispose()
        assert counter.disposed == 1

    def test_a_stub_in_it_stays_owned_by_whoever_has_it(self) -> None:
        hook = Counted()
        payload = Payload(CounterStub(hook), COUNTER)
        make_plain(payload, HOST)
        assert hook.references == 2
        payload.dispose()
        assert hook.references == 1

    def test_what_it_owned_before_it_owns_still(self) -> None:
        hook = Counted()
        payload = Payload(1, INT, [hook])
        make_plain(payload, HOST)
        payload.dispose()
        assert hook.references == 0

    def test_a_value_that_is_not_of_the_type_leaves_no_reference_behind(self) -> None:
        counter = Counter()
        with pytest.raises(Mismatch):
            make_plain(Payload([counter, 5], LIST_COUNTER), HOST)
        assert counter.disposed == 1

    def test_arguments_become_a_bare_list(self) -> None:
        payload = Payload((([1], "x"), {}), Arguments((rpc.param("a", ListCodec(INT)), rpc.param("b", rpc.STR))))
        make_plain(payload, HOST, arguments=True)
        assert payload.value == [[1], "x"]


class TestDecode:
    def test_a_payload_of_the_codec_is_not_decoded_again(self) -> None:
        value = [1]
        codec = ListCodec(INT)
        assert decode_payload(Payload(value, codec), codec, HOST) is value

    def test_a_plain_payload_gets_the_type(self) -> None:
        assert decode_payload(Payload({"title": "t", "pageCount": 2}), BOOK, HOST).pages == 2

    def test_capabilities_stay_owned_by_the_payload(self) -> None:
        hook = Counted()
        payload = Payload([PlainStub(hook)], None, [hook])
        stubs = decode_payload(payload, LIST_COUNTER, HOST)
        assert type(stubs[0]) is CounterStub
        payload.dispose()
        assert hook.references == 0

    def test_a_wrong_type_leaves_no_reference_behind(self) -> None:
        hook = Counted()
        payload = Payload([PlainStub(hook), 5], None, [hook])
        with pytest.raises(Mismatch):
            decode_payload(payload, LIST_COUNTER, HOST)
        assert hook.references == 1
        payload.dispose()
        assert hook.references == 0

    def test_arguments_are_decoded_as_such(self) -> None:
        arguments = Arguments((rpc.param("a", INT), rpc.param("b", INT, required=False)))
        assert decode_arguments(Payload([1, 2]), arguments, HOST) == ([1, 2], {})

    def test_without_a_type_stubs_are_untyped(self) -> None:
        hook = Counted()
        payload = Payload({"a": PlainStub(hook)}, None, [hook])
        value = decode_payload(payload, ANY, HOST)
        assert type(value["a"]) is AnyStub
        payload.dispose()
        assert hook.references == 0


class TestCopy:
    def test_containers_are_copied_and_capabilities_get_references_of_their_own(self) -> None:
        hook = Counted()
        value = {"a": [1, PlainStub(hook)], "b": b"x"}
        copied = copy_branch(value)
        assert copied.value["b"] == b"x"
        assert copied.value["a"][1] is not value["a"][1]
        assert hook.references == 2
        copied.value["a"].append(2)
        assert len(value["a"]) == 2
        copied.dispose()
        assert hook.references == 1

    def test_promises_are_known_with_their_places(self) -> None:
        hook = Counted()
        copied = copy_branch({"a": [PlainPromise(hook)]})
        assert [(container, key) for container, key, _ in copied.promises or ()] == [(copied.value["a"], 0)]
        whole = copy_branch(PlainPromise(hook))
        assert [(container, key) for container, key, _ in whole.promises or ()] == [(None, None)]

    def test_streams_are_owned_by_the_copy_as_well(self) -> None:
        pipes = [Pipe(100, HeldBytes(1_000_000)) for _ in range(3)]
        value = [pipes[0], {"a": Request("https://a.example/", body=pipes[1])}, Response(pipes[2])]  # type: ignore[arg-type]  # as bodies stand in plain trees
        first, second = copy_branch(value), branch(value, HOST)
        first.dispose()
        assert not any(pipe.read().settled for pipe in pipes)
        second.dispose()
        assert all(pipe.read().fulfilled for pipe in pipes)

    def test_a_value_without_capabilities_owns_nothing(self) -> None:
        copied = copy_branch([1, {"a": None}])
        assert copied.hooks is None
        assert copied.promises is None


class TestFollow:
    TREE: ClassVar[Any] = {"a": [10, {"b": "text"}], "n": None, "u": UNDEFINED, "0": "key"}

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ((), TREE),
            (("a",), TREE["a"]),
            (("a", 0), 10),
            (("a", 1, "b"), "text"),
            (("0",), "key"),
            (("missing",), UNDEFINED),
            (("a", 2), UNDEFINED),
            (("a", -1), UNDEFINED),
            (("a", "0"), UNDEFINED),
            ((0,), UNDEFINED),
            (("n", "x"), UNDEFINED),
            (("u",), UNDEFINED),
            (("a", 1, "b", "length"), UNDEFINED),
            (("a", 1, "b", 0), UNDEFINED),
            (("a", "append"), UNDEFINED),
            (("a", "__class__"), UNDEFINED),
            (("__class__",), UNDEFINED),
            (("keys",), UNDEFINED),
            (("a", 0, "real"), UNDEFINED),
            (("a", 0, "__add__"), UNDEFINED),
        ],
        ids=str,
    )
    def test_a_path_leads_through_keys_and_indices_only(self, path: Any, value: Any) -> None:
        assert follow(self.TREE, path) is value

    def test_names_that_javascript_objects_inherit_read_as_undefined(self) -> None:
        assert follow({"toString": 1, "constructor": 2}, ("toString",)) is UNDEFINED

    def test_beyond_undefined_is_an_error(self) -> None:
        with pytest.raises(TypeError, match=r"Cannot read properties of undefined \(reading 'y'\)"):
            follow(self.TREE, ("missing", "y"))

    def test_attributes_of_objects_are_out_of_reach(self) -> None:
        assert follow({"e": ValueError("x")}, ("e", "args")) is UNDEFINED
        assert follow({"f": len}, ("f", "__self__")) is UNDEFINED
        assert follow(SHELF[0], ("title",)) is UNDEFINED

    def test_a_capability_takes_the_rest_of_the_path(self) -> None:
        hook = Counted()
        found = follow({"s": PlainStub(hook)}, ("s", "a", "b"))
        assert isinstance(found, Inside)
        assert (found.hook, found.rest) == (hook, ("a", "b"))

    def test_a_promise_takes_the_rest_after_its_own(self) -> None:
        hook = Counted()
        promise = PlainPromise(hook)
        promise._path = ("x",)
        for path, rest in ((("p", "a"), ("x", "a")), (("p",), ("x",))):
            found = follow({"p": promise}, path)
            assert isinstance(found, Inside)
            assert (found.hook, found.rest) == (hook, rest)

    def test_a_capability_at_the_end_is_the_value(self) -> None:
        stub = PlainStub(Counted())
        assert follow({"s": stub}, ("s",)) is stub


class TestResolve:
    def payload(self, value: Any) -> Payload:
        """Like an evaluated payload: its promises are known, and owned."""
        return copy_branch(value)

    def test_without_promises_there_is_nothing_to_wait_for(self) -> None:
        assert resolve_promises(self.payload([1]), HOST) is None

    def test_promises_that_are_known_are_replaced_at_once(self) -> None:
        payload = self.payload({"a": resolved_with(5), "b": [resolved_with("x")]})
        assert resolve_promises(payload, HOST) is None
        assert payload.value == {"a": 5, "b": ["x"]}

    def test_the_whole_may_be_a_promise(self) -> None:
        payload = self.payload(resolved_with({"a": 1}))
        assert resolve_promises(payload, HOST) is None
        assert payload.value == {"a": 1}

    def test_promises_in_what_a_promise_resolves_to_are_replaced_too(self) -> None:
        inner = PayloadHook(self.payload([resolved_with(1), resolved_with([resolved_with(2)])]), HOST)
        payload = self.payload({"a": PlainPromise(inner)})
        assert resolve_promises(payload, HOST) is None
        assert payload.value == {"a": [1, [2]]}

    def test_it_waits_for_all(self) -> None:
        cells: list[Cell[Hook]] = [Cell(), Cell()]
        payload = self.payload([promise_of(cells[0]), promise_of(cells[1])])
        waiting = resolve_promises(payload, HOST)
        assert waiting is not None
        assert resolve_promises(payload, HOST) is waiting
        cells[1].resolve(value_hook("second"))
        assert not waiting.settled
        cells[0].resolve(value_hook("first"))
        assert waiting.fulfilled
        assert payload.value == ["first", "second"]
        assert resolve_promises(payload, HOST) is None

    def test_one_error_is_the_error_of_the_whole(self) -> None:
        cells: list[Cell[Hook]] = [Cell(), Cell()]
        payload = self.payload([promise_of(cells[0]), promise_of(cells[1])])
        waiting = resolve_promises(payload, HOST)
        assert waiting is not None
        error = ValueError("no")
        got: list[BaseException] = []
        waiting.then(lambda _: None, got.append)
        cells[1].reject(error)
        cells[0].resolve(value_hook(1))
        assert got == [error]

    def test_a_promise_that_is_broken_already_is_an_error(self) -> None:
        error = ValueError("no")
        waiting = resolve_promises(self.payload([PlainPromise(ErrorHook(error))]), HOST)
        assert waiting is not None
        got: list[BaseException] = []
        waiting.then(lambda _: None, got.append)
        assert got == [error]

    def test_a_path_is_followed(self) -> None:
        promise = resolved_with({"a": {"b": 5}})
        promise._path = ("a", "b")
        payload = Payload([promise])
        places: list[tuple[Any, Any, PromiseRef]] = [(payload.value, 0, promise)]
        payload.promises = places
        assert resolve_promises(payload, HOST) is None
        assert payload.value == [5]

    def test_while_there_are_many_others_have_their_turns(self) -> None:
        host = Busy()
        payload = self.payload([*map(resolved_with, range(100))])
        waiting = resolve_promises(payload, host)
        assert waiting is not None
        turns = host.take_turns()
        assert waiting.fulfilled
        assert payload.value == [*range(100)]
        assert 5 < turns < 30

    def test_what_is_given_up_meanwhile_is_left_alone(self) -> None:
        host = Busy()
        counted = [Counted() for _ in range(100)]
        promises = [PlainPromise(PayloadHook(Payload(1, None, [hook]), HOST)) for hook in counted]
        payload = self.payload(promises)
        for promise in promises:
            promise._hook.dispose()
        waiting = resolve_promises(payload, host)
        assert waiting is not None
        payload.dispose()
        assert {hook.references for hook in counted} == {0}
        got: list[BaseException] = []
        waiting.then(lambda _: None, got.append)
        assert host.take_turns() == 1
        assert [type(error) for error in got] == [DisposedError]
        assert payload.hooks is None

    def test_an_error_in_a_later_turn_is_the_error_of_the_whole(self) -> None:
        host = Busy()
        payload = self.payload([*map(resolved_with, range(100))])
        waiting = resolve_promises(payload, host)
        assert waiting is not None
        payload.hooks[-1].dispose()  # type: ignore[index]  # there are as many as promises
        got: list[BaseException] = []
        waiting.then(lambda _: None, got.append)
        host.take_turns()
        assert [type(error) for error in got] == [DisposedError]

    def test_a_typed_value_is_put_in_as_a_plain_one(self) -> None:
        payload = self.payload([PlainPromise(PayloadHook(Payload(SHELF[1], BOOK), HOST))])
        assert resolve_promises(payload, HOST) is None
        assert payload.value[0]["pageCount"] == 730
