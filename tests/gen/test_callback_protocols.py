"""Callback protocols, between generated stubs and skeletons with a session in between: functions of either end, called
by the other with positional arguments, defaults and keywords.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from capnweb_runtime import WritableTarget, as_stub
from capnweb_runtime import codegen_api as rpc
from tests.gen.conftest import Serve
from tests.gen.golden.callback_protocols import expected as api
from tests.gen.golden.callback_protocols.schema import Box, Full, Item, Job, Task
from tests.gen.golden.callbacks_across_schemas.expected import audit, events
from tests.gen.golden.callbacks_across_schemas.schemas.events import Event

SAW, NUT = Item(name="saw"), Item(name="nut")
Calls = list[tuple[str, int, bool, str | None]]


def recorder(calls: Calls) -> api.OnItemLike:
    """A plain function that says yes."""

    def on_item(item: Item, count: int = 9, *, urgent: bool = False, sent_by: str | None = "nobody") -> bool:
        calls.append((item.name, count, urgent, sent_by))
        return True

    return on_item


class Source(api.SourceTarget):
    def next(self) -> Item:
        return SAW


class Queue(api.QueueTarget):
    """What the server does; each test uses one method of it."""

    def __init__(self) -> None:
        self.calls: Calls = []

    @property
    def on_item(self) -> api.OnItemLike:
        return recorder(self.calls)

    async def watch(
        self, on_item: api.OnItemStub, others: list[api.OnItemStub], fallback: api.OnItemStub | None = None
    ) -> api.OnItemLike | None:
        await on_item(SAW)
        await on_item(SAW, 2)
        await on_item(SAW, urgent=True, sent_by="Ada")
        await on_item(item=NUT, count=3)
        for other in others:
            assert await other(NUT, 4, urgent=True)
        return fallback.dup() if fallback is not None else None

    async def keep(self, keep: api.KeepStub, plain: rpc.CallbackStub[[Item], bool]) -> dict[str, api.KeepLike]:
        assert await keep(item=SAW)
        assert await plain(SAW)
        return {"keep": lambda item: item == NUT}

    async def judge(self, judge: api.JudgeStub, total: api.SumStub, on_batch: api.OnBatchStub) -> api.SumLike:
        assert await judge(SAW, weight=2.5) == 2.5
        assert await judge(SAW, NUT) == 3.0
        assert await total(1) == 1
        assert await total(1, 2, 3) == 6
        await on_batch(SAW, NUT, is_last=False)
        await on_batch(is_last=True)
        return lambda start, *numbers: start * 10 + len(numbers)

    async def visit(self, visit: api.VisitStub) -> api.VisitLike:
        return await visit(1, visit) or visit.dup()

    async def copy(self, copy: api.CopyStub) -> api.CopyLike:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"ab"
            yield b"c"

        written = Written()
        sizes = [size async for size in copy(Source(), chunks(), into=written, on_item=recorder(self.calls))]
        assert (sizes, written.chunks) == ([2, 1], [b"saw", b"ab", b"c"])
        return copy.dup()

    async def put(self, put: api.PutStub, push: api.PushStub) -> api.PutLike:
        with pytest.raises(Full):
            await put(SAW)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            await push(SAW)
        assert [str(one.message) for one in told] == ["use Put instead"]
        return lambda item: Source()

    async def reply(
        self, number: api.ReplyIntStub, source: api.ReplySourceStub, on: rpc.CallbackStub[[Item], None]
    ) -> api.ReplySourceLike:
        assert await number(4, late=True) == 5
        assert await source(Source()).next() == SAW
        await on(NUT)
        return lambda value, *, late=False: value.dup()

    async def each(self, make: rpc.CallbackStub[[api.OnItemLike], api.OnItemStub]) -> list[api.OnItemLike]:
        made = await make(recorder(self.calls))
        return [made.dup(), recorder(self.calls)]

    async def job(self, job: Job) -> Job:
        assert await as_stub(job.on_item, api.OnItemStub)(SAW, urgent=True)
        for other in job.others:
            assert await other(NUT, 7)
        return Job.model_construct(on_item=recorder(self.calls), others=[])

    async def task(self, task: Task) -> Task:
        assert await task.on_done(1, late=True) == 2
        assert task.keep is None
        return Task(on_done=_one_more)

    async def box(self, box: Box[api.OnItemStub]) -> Box[api.OnItemLike]:
        await box.content(SAW, 5)
        return Box[api.OnItemLike](content=recorder(self.calls))

    async def feed(self, number: int) -> AsyncIterable[api.OnItemLike]:
        for _ in range(number):
            yield recorder(self.calls)


class Written(WritableTarget[bytes]):
    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        self.chunks.append(chunk)


async def _one_more(value: int, *, late: bool = False) -> int:
    return value + 1


def queue(served: Serve) -> api.QueueStub:
    """A stub for a new Queue."""
    return served(Queue, api.QueueStub)


def bus(served: Serve, **methods: Any) -> api.QueueStub:
    """A stub for a queue with these methods."""
    return served(type("Bus", (api.QueueTarget,), methods), api.QueueStub)


# ---- a function of the client, called by the server


async def test_a_function_gets_what_was_given_and_its_own_defaults_for_the_rest(served: Serve) -> None:
    calls: Calls = []
    others: Calls = []
    assert await queue(served).watch(recorder(calls), [recorder(others), recorder(others)]) is None
    assert calls == [
        ("saw", 9, False, "nobody"),
        ("saw", 2, False, "nobody"),
        ("saw", 9, True, "Ada"),
        ("nut", 3, False, "nobody"),
    ]
    assert others == [("nut", 4, True, "nobody")] * 2


async def test_an_async_function_and_any_object_that_can_be_called_will_do(served: Serve) -> None:
    class Counting:
        count = 0

        async def __call__(
            self, item: Item, n: int = 1, /, *, urgent: bool = False, sent_by: str | None = None
        ) -> bool:
            await asyncio.sleep(0)
            self.count += n
            return True

    counting = Counting()
    await queue(served).watch(counting, [counting])
    assert counting.count == 1 + 2 + 1 + 3 + 4


async def test_parameters_are_called_as_they_are_by_each_side(served: Serve) -> None:
    seen: list[str] = []

    def keep(thing: Item) -> bool:
        seen.append(thing.name)
        return True

    kept = await queue(served).keep(keep, keep)
    assert seen == ["saw", "saw"]
    assert [await kept["keep"](NUT), await kept["keep"](item=SAW)] == [True, False]


async def test_variadic_parameters_and_omitted_ones_in_the_middle(served: Serve) -> None:
    batches: list[tuple[int, bool]] = []

    def judge(first: Item, second: Item | None = None, /, weight: float = 3.0) -> float:
        return weight

    async def total(start: int, *numbers: int) -> int:
        return start + sum(numbers)

    def on_batch(*items: Item, is_last: bool) -> None:
        batches.append((len(items), is_last))

    with await queue(served).judge(judge, total, on_batch) as given:
        assert batches == [(2, False), (0, True)]
        assert await given(4, 1, 1) == 42


async def test_a_callback_may_take_and_give_itself(served: Serve) -> None:
    depths: list[int] = []

    async def visit(depth: int, again: api.VisitStub | None = None) -> api.VisitLike | None:
        depths.append(depth)
        return again.dup() if again else None

    with await queue(served).visit(visit) as found:
        assert await found(2) is None
        again = await found(3, again=visit)
        assert again is not None
        with again:
            assert await again(4) is None
    assert depths == [1, 2, 3, 4]


async def test_capabilities_and_streams_are_parameters_and_results(served: Serve) -> None:
    async def copy(
        source: api.SourceStub,
        chunks: rpc.ReadableStream[bytes],
        /,
        *,
        into: rpc.WritableStream[bytes],
        on_item: api.OnItemStub | None = None,
    ) -> AsyncIterator[int]:
        async with into:
            await into.write((await source.next()).name.encode())
            async for chunk in chunks:
                await into.write(chunk)
                yield len(chunk)
        assert on_item is not None
        assert await on_item(SAW)

    await queue(served).copy(copy)


async def test_exceptions_and_deprecations_of_a_function(served: Serve) -> None:
    def put(item: Item) -> api.SourceTarget:
        raise Full("no room")

    def push(item: Item) -> None: ...

    assert await queue(served).put(put, push)(SAW).next() == SAW


async def test_generic_callbacks(served: Serve) -> None:
    seen: list[Item] = []
    given = queue(served).reply(_one_more, lambda value, *, late=False: value.dup(), seen.append)
    assert await given(Source(), late=True).next() == SAW
    assert seen == [NUT]


# ---- a function of the server, called by the client


async def test_a_function_that_was_given_is_called_before_it_has_arrived_and_afterwards(served: Serve) -> None:
    stub = queue(served)
    assert await stub.on_item(SAW, urgent=True)
    held = await stub.on_item
    with held:
        assert isinstance(held, api.OnItemStub)
        assert await held(SAW, 2, sent_by="Bob")
        with held.dup() as other:
            assert await other(SAW)


async def test_a_function_that_may_be_none_is_called_like_one_that_is_there(served: Serve) -> None:
    calls: Calls = []
    fallback = queue(served).watch(recorder([]), [], recorder(calls))
    assert await fallback(NUT, urgent=True)
    assert calls == [("nut", 9, True, "nobody")]


async def test_functions_inside_models_lists_and_streams(served: Serve) -> None:
    stub, calls = queue(served), Calls()
    function: Any = recorder(calls)
    job = await stub.job(Job(on_item=function, others=[function, function]))
    assert await as_stub(job.on_item, api.OnItemStub)(SAW, 2)
    assert calls == [("saw", 9, True, "nobody"), ("nut", 7, False, "nobody"), ("nut", 7, False, "nobody")]
    assert await stub.job(Job(on_item=function)).on_item(SAW, urgent=True)
    task = await stub.task(Task(on_done=_one_more))
    assert await task.on_done(3) == 4
    assert [await one(SAW, urgent=True) async for one in stub.feed(2)] == [True, True]


async def test_functions_in_a_generic_model(served: Serve) -> None:
    calls: Calls = []
    box = await queue(served).box(Box[api.OnItemLike](content=recorder(calls)))
    assert calls == [("saw", 5, False, "nobody")]
    assert await box.content(NUT, urgent=True)


async def test_each_function_of_a_list_is_called_where_it_is(served: Serve) -> None:
    calls: Calls = []

    def make(on_item: api.OnItemStub) -> api.OnItemStub | Awaitable[api.OnItemLike]:
        return on_item.dup()

    answers = await queue(served).each(make).map(lambda on_item: on_item(SAW, 2, urgent=True))
    assert answers == [True, True]
    assert calls == []


async def test_a_promised_function_is_passed_on_without_being_awaited(served: Serve) -> None:
    stub = queue(served)
    assert await stub.watch(stub.on_item, [stub.on_item]) is None


async def test_a_stub_that_came_home_calls_the_function_itself(served: Serve) -> None:
    calls: Calls = []
    found = await queue(served).watch(recorder([]), [], recorder(calls))
    assert found is not None
    with found:
        assert await found(SAW, 3)
    assert calls == [("saw", 3, False, "nobody")]


# ---- what is wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["saw"], {}), "argument 'item': expected Item, got a list"),
        (({"name": 1}, {}), r"argument 'item\.name': expected str, got int 1"),
        (({"name": "saw"}, "2", {}), "argument 'count': expected int, got str '2'"),
        (({"name": "saw"}, 2, {"urgent": 1}), "argument 'urgent': expected bool, got int 1"),
        (({"name": "saw"}, 2, {"sent": ""}), "argument 'sent': expected one of the keywords urgent, sentBy"),
        (({"name": "saw"}, 2, 3), "arguments: expected at most 2 arguments, got 3"),
        ((), "argument 'item': expected Item, got nothing"),
    ],
)
async def test_a_wrong_argument_is_told_and_does_not_reach_the_function(
    served: Serve, arguments: tuple[Any, ...], message: str
) -> None:
    calls: Calls = []

    async def watch(self: Any, on_item: api.OnItemStub, others: Any, fallback: Any = None) -> None:
        with pytest.raises(TypeError, match=message):
            await rpc.AnyStub(on_item._hook)(*arguments)

    await bus(served, watch=watch).watch(recorder(calls), [])
    assert calls == []


async def test_a_wrong_argument_is_refused_where_it_is_given(served: Serve) -> None:
    wrong: Any = "2"
    on_item = queue(served).on_item
    with pytest.raises(TypeError, match="argument 'count': expected int, got str '2'"):
        await on_item(SAW, wrong)
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        await on_item(SAW, speed=1)  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="takes from 2 to 3 positional arguments but 4 were given"):
        await on_item(SAW, 1, True)  # type: ignore[call-arg]  # what is tested


async def test_a_wrong_result_is_an_error_of_the_call(served: Serve) -> None:
    wrong: Any = lambda item, count=1, **rest: "yes"  # noqa: E731
    with pytest.raises(TypeError, match="expected bool, got str 'yes'"):
        await queue(served).watch(wrong, [])


async def test_an_undeclared_exception_of_a_function_is_the_callers(served: Serve) -> None:
    def on_item(item: Item, count: int = 1, *, urgent: bool = False, sent_by: str | None = None) -> bool:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await queue(served).watch(on_item, [])


async def test_a_function_is_released_when_the_call_returns_unless_it_is_kept(served: Serve) -> None:
    kept: list[api.OnItemStub] = []

    async def watch(self: Any, on_item: api.OnItemStub, others: list[api.OnItemStub], fallback: Any = None) -> None:
        kept.extend([on_item.dup(), others[0]])

    calls: Calls = []
    await bus(served, watch=watch).watch(recorder(calls), [recorder(calls)])
    with kept[0] as mine:
        assert await mine(SAW)
    with pytest.raises(Exception, match="after the stub had been disposed"):
        await kept[1](SAW)


# ---- schemas that share callbacks


async def test_callbacks_of_one_schema_are_used_in_another(served: Serve) -> None:
    seen: list[str] = []

    class Audit(audit.AuditTarget):
        async def watch(
            self, on_event: events.OnEventStub, on_done: rpc.CallbackStub[[int], None]
        ) -> events.OnEventLike:
            await on_event(Event(name="one"), queue=self)
            await on_done(1)
            return on_event.dup()

        def first(self, reply: events.ReplyEventStub) -> list[events.OnEventLike]:
            return []

        def last(self, reply: events.ReplyEventStub) -> events.ReplyEventLike:
            return reply.dup()

    async def on_event(event: Event, *, queue: Any = None) -> None:
        seen.append(event.name if queue is None else f"{event.name} of {len(await queue.first(reply))}")

    def reply(value: Event, *, is_last: bool = True) -> None:
        seen.append(f"{value.name} {is_last}")

    stub = served(Audit, audit.AuditStub)
    given: Callable[..., Any] = await stub.watch(on_event, lambda count: seen.append(str(count)))
    await given(Event(name="two"))
    await stub.last(reply)(Event(name="three"), is_last=False)
    assert seen == ["one of 0", "1", "two", "three False"]
