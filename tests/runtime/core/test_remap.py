"""`map()`: exactly what is recorded, and what is replayed."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.hook import Hook, Payload
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.core.remap import Recorder, Variable, replay
from capnweb_runtime.core.text import loads
from capnweb_runtime.core.value_hooks import PayloadHook
from capnweb_runtime.errors import DisposedError, LimitExceeded, ProtocolError
from capnweb_runtime.limits import Limits
from capnweb_runtime.values import UNDEFINED
from tests.runtime.conftest import Join
from tests.runtime.example import Book, Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Side, SyncHost, begin, outcome, pulled


class Counted(ErrorHook):
    __slots__ = ("disposed",)

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.disposed = 0

    def dup(self) -> Hook:
        self.disposed -= 1
        return self

    def dispose(self) -> None:
        self.disposed += 1


def recorded(side: Side) -> Any:
    """The `remap` expression in what the side has written."""
    (remap,) = [wire[1] for wire in map(loads, side.take()) if wire[0] == "push" and wire[1][0] == "remap"]
    return remap


class TestRecording:
    def test_a_call_with_the_element_as_argument(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        result = desk.ints(3).map(lambda n: desk.counter(n))
        assert recorded(side) == [
            "remap",
            1,
            [],
            [["import", 0]],
            [["pipeline", -1, ["counter"], [["pipeline", 0]]], ["pipeline", 1]],
        ]
        result.dispose()

    def test_calls_of_the_element_and_of_results(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        result = desk.counters(3).map(lambda counter: counter.itself().increment(5))
        assert recorded(side) == [
            "remap",
            1,
            [],
            [],
            [["pipeline", 0, ["itself"], []], ["pipeline", 1, ["increment"], [5]], ["pipeline", 2]],
        ]
        result.dispose()

    def test_attributes_of_the_element_are_paths_of_the_result(self) -> None:
        side = Side()
        result = side.main(DeskStub).books().map(lambda book: book.title)
        assert recorded(side)[2:] == [[], [], [["pipeline", 0, ["title"]]]]
        result.dispose()

    def test_the_element_itself(self) -> None:
        side = Side()
        result = side.main(DeskStub).books().map(lambda book: book)
        assert recorded(side)[2:] == [[], [], [["pipeline", 0]]]
        result.dispose()

    @pytest.mark.parametrize(
        ("function", "last"),
        [
            (lambda book: (book.title, book.pages), [[["pipeline", 0, ["title"]], ["pipeline", 0, ["pageCount"]]]]),
            (lambda book: [book.title], [[["pipeline", 0, ["title"]]]]),
            (lambda book: {"t": book.title}, {"t": ["pipeline", 0, ["title"]]}),
            (lambda book: (book.tags[0], 5), [[["pipeline", 0, ["tags", 0]], 5]]),
            (lambda book: 5, 5),
            (lambda book: None, None),
        ],
        ids=["tuple", "list", "dict", "item", "constant", "none"],
    )
    def test_what_the_function_returns_is_the_last_instruction(self, function: Any, last: Any) -> None:
        side = Side()
        result = side.main(DeskStub).books().map(function)
        assert recorded(side)[4] == [last]
        result.dispose()

    def test_each_use_of_something_outside_is_a_new_capture(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        total = desk.add(1, 2)
        result = desk.ints(3).map(lambda n: (desk.add(n, total), desk.add(n, n)))
        assert recorded(side)[3:] == [
            [["import", 1], ["import", 0], ["import", 0]],
            [
                ["pipeline", -2, ["add"], [["pipeline", 0], ["pipeline", -1]]],
                ["pipeline", -3, ["add"], [["pipeline", 0], ["pipeline", 0]]],
                [[["pipeline", 1], ["pipeline", 2]]],
            ],
        ]
        result.dispose()
        total.dispose()

    def test_a_local_stub_is_captured_as_an_export(self) -> None:
        other = Side(Counter())
        mine = CounterStub(other.session._exports[0].hook)
        side = Side()
        result = side.main(DeskStub).ints(3).map(lambda n: mine.increment(n))
        assert recorded(side)[3:] == [
            [["export", -1]],
            [["pipeline", -1, ["increment"], [["pipeline", 0]]], ["pipeline", 1]],
        ]
        result.dispose()

    def test_a_stub_as_argument_is_a_capture_too(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        counter = CounterStub(side.session.import_stub(-5))
        result = desk.ints(3).map(lambda n: desk.use(counter, n))
        assert recorded(side)[3:] == [
            [["import", -5], ["import", 0]],
            [["pipeline", -2, ["use"], [["import", -1], ["pipeline", 0]]], ["pipeline", 1]],
        ]
        counter.dispose()
        result.dispose()

    def test_a_map_within_a_map_captures_through_the_outer_one(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        result = desk.grid(3).map(lambda row: row.map(lambda n: desk.add(n, row[0])))
        assert recorded(side)[3:] == [
            [["import", 0]],
            [
                [
                    "remap",
                    0,
                    [],
                    [["import", 0], ["import", -1]],
                    [["pipeline", -2, ["add"], [["pipeline", 0], ["pipeline", -1, [0]]]], ["pipeline", 1]],
                ],
                ["pipeline", 1],
            ],
        ]
        result.dispose()

    def test_a_map_over_a_part_has_a_path(self) -> None:
        side = Side()
        result = side.main(DeskStub).best.tags.map(lambda tag: tag)
        assert recorded(side)[:3] == ["remap", 0, ["best", "tags"]]
        result.dispose()

    def test_the_result_can_be_mapped_again(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        first = desk.ints(3).map(lambda n: desk.counter(n))
        side.take()
        second = first.map(lambda counter: counter.value)
        assert recorded(side) == ["remap", 2, [], [], [["pipeline", 0, ["value"]]]]
        first.dispose()
        second.dispose()


class TestRefused:
    def check(self, function: Any, message: str) -> None:
        side = Side()
        numbers = side.main(DeskStub).ints(3)
        with pytest.raises(TypeError, match=message):
            _ = numbers.map(function)
        side.take()
        numbers.dispose()
        side.take()
        side.assert_empty()

    def test_an_async_function(self) -> None:
        async def mapper(n: Any) -> Any:
            return n

        self.check(mapper, "cannot be async")

    def test_a_new_target(self) -> None:
        other = Side()
        desk = other.main(DeskStub)
        self.check(lambda n: desk.use(Counter(), n), "cannot pass a new target or callback")
        other.take()

    def test_a_new_callback(self) -> None:
        other = Side()
        desk = other.main(DeskStub)
        self.check(lambda n: desk.apply(lambda m: m, n), "cannot pass a new target or callback")
        other.take()

    def test_a_new_target_as_result(self) -> None:
        self.check(lambda n: Counter(), "cannot pass a new target or callback")

    def test_waiting_inside(self) -> None:
        self.check(lambda n: n._begun(), r"inside map\(\) one cannot await")

    def test_testing_the_placeholder(self) -> None:
        self.check(lambda n: 1 if n else 2, r"inside map\(\) one cannot test")

    def test_comparing_the_placeholder(self) -> None:
        self.check(lambda n: n == 2, r"inside map\(\) one cannot compare")

    def test_calculating_with_the_placeholder(self) -> None:
        self.check(lambda n: n + 1, r"inside map\(\) one cannot calculate")

    def test_an_error_of_the_function_is_raised(self) -> None:
        def mapper(n: Any) -> Any:
            raise KeyError("mine")

        side = Side()
        numbers = side.main(DeskStub).ints(3)
        with pytest.raises(KeyError, match="mine"):
            _ = numbers.map(mapper)
        total = side.main(DeskStub).add(1, 2)  # the recorder is gone: this is a call again
        assert side.take()[-1].startswith('["push",["pipeline",0,["add"]')
        numbers.dispose()
        total.dispose()

    def test_a_placeholder_that_has_escaped(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        escaped: list[Any] = []

        def mapper(counter: Any) -> Any:
            escaped.append(counter)
            return counter

        result = desk.counters(1).map(mapper)
        late = escaped[0].increment()
        begin(late)
        with pytest.raises(TypeError, match="inside map"):
            outcome(late)
        result.dispose()


class TestReplayed:
    """Recorded by one session, replayed by the other."""

    def test_elements_in_order(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.ints(4).map(lambda n: desk.add(n, 10))) == [10, 11, 12, 13]
        assert pair.a.session.stats().round_trips == 1

    def test_models_keep_their_type(self, join: Join) -> None:
        pair = join(None, Desk())
        books = pair.wait(pair.a.main(DeskStub).books().map(lambda book: book))
        assert [type(book) for book in books] == [Book, Book]

    def test_tuples_lists_and_dicts_keep_theirs(self, join: Join) -> None:
        pair = join(None, Desk())
        books = pair.a.main(DeskStub).books()
        assert pair.wait(books.map(lambda book: (book.title, book.pages))) == [("Emma", 474), ("Ulysses", 730)]
        assert pair.wait(books.map(lambda book: [book.tags])) == [[["novel", "classic"]], [[]]]
        assert pair.wait(books.map(lambda book: {"t": book.title})) == [{"t": "Emma"}, {"t": "Ulysses"}]

    def test_nested_maps(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.grid(4).map(lambda row: row.map(lambda n: desk.add(n, 1)))) == [
            [],
            [1],
            [1, 2],
            [1, 2, 3],
        ]

    def test_a_map_of_a_map(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.ints(3).map(lambda n: desk.counter(n)).map(lambda counter: counter.increment(10))) == [
            10,
            11,
            12,
        ]

    def test_an_item_of_the_result_can_be_used_before_it_is_there(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        counters = desk.ints(3).map(lambda n: desk.counter(n))
        assert pair.wait(counters[2].increment(5)) == 7
        assert pair.a.session.stats().round_trips == 1

    def test_an_empty_list(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.ints(0).map(lambda n: desk.counter(n))) == []

    def test_captures_of_our_own_objects(self, join: Join) -> None:
        counter = Counter()
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        mine = pair.wait(desk.same(counter))
        assert pair.wait(desk.ints(3).map(lambda n: desk.use(mine, n))) == [0, 1, 3]
        mine.dispose()
        pair.run()
        assert counter.disposed == 1

    def test_capabilities_in_results_are_usable_and_released(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        counters = pair.wait(desk.ints(3).map(lambda n: desk.counter(n)))
        assert [pair.wait(counter.value) for counter in counters] == [0, 1, 2]
        for counter in counters:
            counter.dispose()
        pair.run()
        assert [made.disposed for made in target.made] == [1, 1, 1]

    def test_an_error_in_one_element_rejects_the_whole_and_nothing_is_left(self, join: Join) -> None:
        class Picky(Desk):
            def counter(self, start: int = 0) -> Counter:
                if start == 2:
                    raise ValueError("not two")
                return self._make(start)

        target = Picky()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        with pytest.raises(ValueError, match="not two"):
            pair.wait(desk.ints(4).map(lambda n: desk.counter(n)))
        pair.assert_empty()
        assert [made.disposed for made in target.made] == [1] * len(target.made)

    def test_a_subject_that_fails_rejects_the_map(self, join: Join) -> None:
        class Empty(Desk):
            def ints(self, count: int) -> Any:
                raise ValueError("none left")

        pair = join(None, Empty())
        desk = pair.a.main(DeskStub)
        with pytest.raises(ValueError, match="none left"):
            pair.wait(desk.ints(4).map(lambda n: desk.counter(n)))

    def test_a_subject_that_is_not_there_yet(self, join: Join) -> None:
        target = Desk()
        target.ints = lambda count: target.hold("ints")  # type: ignore[method-assign]
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        result = desk.ints(2).map(lambda n: desk.add(n, 1))
        begin(result)
        pair.run()
        target.held["ints"].resolve([5, 6])
        pair.run()
        assert outcome(result) == [6, 7]


def wrap(payload: Payload) -> Hook:
    return PayloadHook(payload, SyncHost())


def run(value: Any, instructions: list[Any], captures: list[Hook] | None = None, steps: int = 1000) -> Any:
    payload = replay(value, captures or [], instructions, Budget(steps), SyncHost(), wrap)
    assert isinstance(payload, Payload)
    result = pulled(wrap(payload).get(()))
    payload.dispose()
    return result


class TestReplay:
    def test_none_and_undefined_pass_through_and_captures_are_disposed(self) -> None:
        capture = Counted()
        assert run(None, [1], [capture]) is None
        assert capture.disposed == 1
        assert run(UNDEFINED, [1]) is UNDEFINED

    def test_a_list_is_mapped_one_level_deep(self) -> None:
        assert run([1, [2, 3]], [{"x": ["pipeline", 0, [0]]}]) == [{"x": UNDEFINED}, {"x": 2}]

    def test_anything_else_is_mapped_once(self) -> None:
        assert run({"a": 1}, [5]) == 5
        assert run("text", [5]) == 5

    def test_constants_are_copied_into_each(self) -> None:
        assert run([1, 2], [[[{"k": [[]]}]]]) == [[{"k": []}], [{"k": []}]]

    @pytest.mark.parametrize(
        ("instructions", "message"),
        [
            ([], "Invalid empty mapper function."),
            ([["export", -1]], "A mapper function cannot refer to exports."),
            ([["promise", -1]], "A mapper function cannot refer to exports."),
            ([["pipeline", 1]], "no such entry on exports table: 1"),
            ([["pipeline", 2], 1], "no such entry on exports table: 2"),
            ([["pipeline", -1]], "no such entry on exports table: -1"),
            ([["what"]], "unknown special value"),
        ],
        ids=str,
    )
    def test_malformed_instructions_fail_and_captures_are_disposed(self, instructions: Any, message: str) -> None:
        capture = Counted()
        captures: list[Hook] = [capture] if instructions != [["pipeline", -1]] else []
        with pytest.raises(ProtocolError, match=message):
            run([1], instructions, captures)
        assert capture.disposed == len(captures)

    def test_the_steps_are_bounded(self) -> None:
        assert run([1] * 10, [1, 2], steps=20)
        with pytest.raises(LimitExceeded, match="more than 19 steps"):
            run([1] * 10, [1, 2], steps=19)

    def test_the_elements_own_their_capabilities(self) -> None:
        hook = Counted()
        value = [PlainStub(hook)]
        payload = replay(value, [], [1], Budget(10), SyncHost(), wrap)
        assert isinstance(payload, Payload)
        payload.dispose()
        assert hook.disposed == 0


def test_malformed_instructions_reject_their_map_and_the_session_lives() -> None:
    side = Side(Desk())
    side.hear(["push", ["pipeline", 0, ["ints"], [2]]])
    for number, instructions in enumerate(([], [["export", -1]], [["pipeline", 2], 1], [["what"]]), 2):
        texts = side.hear(["push", ["remap", 1, [], [], instructions]], ["pull", number])
        assert texts[0].startswith(f'["reject",{number},')
    assert not side.session.closed


def test_what_nested_maps_expand_to_is_bounded_together() -> None:
    side = Side(Desk(), Limits(map_steps=1000))
    side.hear(["push", [[[[1] * 30]] * 30]])
    texts = side.hear(["push", ["remap", 1, [], [], [["remap", 0, [], [], [1, 2]]]]], ["pull", 2])
    assert any("map() expands to more than 1000 steps" in text for text in texts)
    assert not side.session.closed


def test_maps_nested_without_end_are_an_error_of_that_call() -> None:
    instructions: Any = [1]
    for _ in range(300):
        instructions = [["remap", 0, [], [], instructions]]
    side = Side(Desk())
    side.hear(["push", ["pipeline", 0, ["ints"], [2]]], ["push", ["remap", 1, [], [], instructions]], ["pull", 2])
    assert not side.session.closed


def test_a_recorder_has_no_host() -> None:
    with pytest.raises(TypeError, match="cannot pass a new target"):
        _ = Recorder().host
    variable = Variable(Recorder(), 0)
    assert variable.dup() is variable
    variable.dispose()


def test_a_stub_that_was_disposed_fails_the_map_that_uses_it(join: Join) -> None:
    pair = join(None, Desk())
    desk = pair.a.main(DeskStub)
    counter = pair.wait(desk.counter())
    counter.dispose()
    with pytest.raises(DisposedError, match=r"after it had been disposed at .*test_remap\.py:\d+; keep a dup\(\)"):
        pair.wait(desk.ints(2).map(lambda n: counter.increment(n)))


def test_what_a_nested_map_captures_is_kept_by_the_outer_one_alone() -> None:
    outer = Recorder()
    inner = Recorder(outer)
    outside = Counted()
    inner.index_of(outside)
    inner.finish(outer.placeholder(), (), Payload(1), None)
    assert outer.captures == [outside]
    assert outside.disposed == -1, "one duplicate is left, the outer one's"
