"""Read by type checkers, never run: callback protocols, in modules of golden cases."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import assert_type

from capnweb_runtime import codegen_api as rpc
from tests.gen.golden.callback_protocols import expected as api
from tests.gen.golden.callback_protocols.schema import Box, Item, Job, OnItem, Task


def plain(item: Item, count: int = 2, *, urgent: bool = False, sent_by: str | None = None) -> bool:
    return urgent


async def awaited(thing: Item, n: int = 2, /, *, sent_by: object = None, urgent: bool = True, more: int = 1) -> bool:
    return urgent


class Method:
    async def on_item(self, item: Item, count: int = 1, **rest: object) -> bool:
        return True

    def __call__(self, *items: object, **rest: object) -> bool:
        return True


def without_count(item: Item, *, urgent: bool = False, sent_by: str | None = None) -> bool:
    return True


def count_needed(item: Item, count: int, *, urgent: bool = False, sent_by: str | None = None) -> bool:
    return True


def without_urgent(item: Item, count: int = 1, *, sent_by: str | None = None) -> bool:
    return True


def gives_text(item: Item, count: int = 1, *, urgent: bool = False, sent_by: str | None = None) -> str:
    return ""


def takes_text(item: str, count: int = 1, *, urgent: bool = False, sent_by: str | None = None) -> bool:
    return True


async def functions_of_any_kind(queue: api.QueueStub, held: api.OnItemStub) -> None:
    """Sync and async functions, methods, objects, stubs and promises fit, whatever they call what comes by position."""
    assert_type(queue.watch(plain, [awaited]), api.OnItemPromise[api.OnItemStub | None])
    assert_type(await queue.watch(Method().on_item, [Method(), held, queue.on_item], held), api.OnItemStub | None)
    await queue.reply(lambda value, *, late=False: value + late, source, lambda item: item.name)
    await queue.watch(queue.watch(plain, []), await queue.each(lambda on_item: plain))
    await queue.watch(without_count, [])  # type: ignore[arg-type]
    await queue.watch(count_needed, [])  # type: ignore[arg-type]
    await queue.watch(without_urgent, [])  # type: ignore[arg-type]
    await queue.watch(gives_text, [])  # type: ignore[arg-type]
    await queue.watch(plain, [takes_text])  # type: ignore[list-item]
    await queue.watch(1, [])  # type: ignore[arg-type]


async def functions_of_the_peer(queue: api.QueueStub) -> None:
    """They are called by position, by name, and without what has a default."""
    on_item = queue.on_item
    assert_type(on_item, api.OnItemPromise)
    assert_type(await on_item, api.OnItemStub)
    assert_type(on_item(Item(name="saw")), rpc.RpcPromise[bool])
    assert_type(await on_item(count=1, item=Item(name="saw"), urgent=on_item(Item(name="nut"))), bool)
    assert_type(await queue.put(put, push)(Item(name="")).next().name, str)
    assert_type(queue.judge(judge, total, on_batch)(1, 2, 3), rpc.RpcPromise[int])
    assert_type(await queue.visit(visit)(1), api.VisitStub | None)
    assert_type(await (await queue.keep(keep, keep))["x"](item=Item(name="")), bool)
    assert_type([await one(Item(name="")) async for one in queue.feed(1)], list[bool])
    assert_type(await queue.each(lambda on_item: on_item).map(lambda one: one(Item(name=""))), list[bool])
    assert_type(queue.reply(answer, source, lambda item: None)(queue.put(put, push)(Item(name=""))), api.SourcePromise)
    on_item()  # type: ignore[call-arg]
    on_item(Item(name=""), "2")  # type: ignore[arg-type]
    on_item(Item(name=""), 2, True)  # type: ignore[call-arg]
    on_item(Item(name=""), speed=1)  # type: ignore[call-arg]


def judge(one: Item, other: Item | None = None, /, weight: float = 1) -> float:
    return weight


def judge_by_another_name(one: Item, other: Item | None = None, /, factor: float = 1) -> float:
    return factor


async def total(start: int, *numbers: int) -> int:
    return start


def on_batch(*items: Item, is_last: bool) -> None: ...


def visit(depth: int, again: api.VisitStub | None = None) -> api.VisitStub | None:
    return again


def keep(anything: Item) -> bool:
    return True


async def put(item: Item) -> api.SourceStub:
    raise NotImplementedError


def push(item: Item) -> None: ...


async def answer(value: int, *, late: bool = False) -> int:
    return value


async def source(one: api.SourceStub, *, late: bool = False) -> api.SourceStub:
    return one


async def a_name_matters_where_a_call_may_need_it(queue: api.QueueStub) -> None:
    """`weight` is given by name when `second` is omitted."""
    await queue.judge(judge, total, on_batch)
    await queue.judge(judge_by_another_name, total, on_batch)  # type: ignore[arg-type]


async def functions_in_models(queue: api.QueueStub, function: OnItem, late: OnItem) -> None:
    """In a model the type is the schema's; a generic model is typed in full."""
    assert_type(queue.job(Job(on_item=function)).on_item, api.OnItemPromise)
    assert_type((await queue.job(Job(on_item=function, others=[late]))).on_item, OnItem)
    assert_type(queue.task(Task(on_done=answer)).on_done(1, late=True), rpc.RpcPromise[int])
    assert_type(await queue.box(Box(content=plain)), Box[api.OnItemStub])
    assert_type(queue.box(Box(content=awaited)).content(Item(name="")), rpc.RpcPromise[bool])
    Task(on_done=plain)  # type: ignore[arg-type]


class Queue(api.QueueTarget):
    """Callbacks arrive as stubs; functions and stubs may be given."""

    @property
    def on_item(self) -> api.OnItemLike:
        return plain

    async def watch(
        self, on_item: api.OnItemStub, others: list[api.OnItemStub], fallback: api.OnItemStub | None = None
    ) -> api.OnItemLike | None:
        assert_type(await on_item(Item(name=""), urgent=True), bool)
        assert_type([other(Item(name=""), 1) for other in others], list[rpc.RpcPromise[bool]])
        return fallback or awaited

    def keep(self, keep: api.KeepStub, plain: rpc.CallbackStub[[Item], bool]) -> dict[str, api.KeepLike]:
        return {"keep": keep}

    def judge(self, judge: api.JudgeStub, total: api.SumStub, on_batch: api.OnBatchStub) -> api.SumStub:
        assert_type(on_batch(Item(name=""), is_last=True), rpc.RpcPromise[None])
        on_batch(Item(name=""), True)  # type: ignore[call-arg, arg-type]
        return total

    def visit(self, visit: api.VisitStub) -> api.VisitLike:
        assert_type(visit(1, visit), api.VisitPromise[api.VisitStub | None])
        return visit

    async def copy(self, copy: api.CopyStub) -> api.CopyLike:
        async def chunks() -> AsyncIterator[bytes]:
            yield b""

        assert_type(copy(Source(), chunks(), into=Log(), on_item=plain), rpc.StreamPromise[int])
        return copies

    async def put(self, put: api.PutStub, push: api.PushStub) -> api.PutStub:
        assert_type(put(Item(name="")).next(), api.ItemPromise)
        return put

    async def reply(
        self, number: api.ReplyIntStub, source: api.ReplySourceStub, on: rpc.CallbackStub[[Item], None]
    ) -> api.ReplySourceLike:
        assert_type(await number(number(1)), int)
        return source

    async def each(self, make: rpc.CallbackStub[[api.OnItemLike], api.OnItemStub]) -> list[api.OnItemLike]:
        return [await make(plain), plain]

    def job(self, job: Job) -> Job:
        return job

    def task(self, task: Task) -> Task:
        return Task(on_done=answer)

    async def box(self, box: Box[api.OnItemStub]) -> Box[api.OnItemLike]:
        assert_type(await box.content(Item(name="")), bool)
        return Box(content=plain)

    async def feed(self, number: int) -> AsyncIterable[api.OnItemLike]:
        yield plain


async def copies(
    source: api.SourceStub,
    chunks: rpc.ReadableStream[bytes],
    *,
    into: rpc.WritableStream[bytes],
    on_item: api.OnItemStub | None = None,
) -> AsyncIterator[int]:
    yield len(await anext(chunks))


class Source(api.SourceTarget):
    def next(self) -> Item:
        return Item(name="")


class Log(rpc.WritableTarget[bytes]):
    def write(self, chunk: bytes) -> None: ...


def blocking(queue: api.QueueBlockingStub) -> None:
    """The blocking face takes the same functions, and gives functions that wait."""
    assert_type(queue.on_item(Item(name="saw"), urgent=True), bool)
    assert_type(queue.watch(plain, [awaited, queue.on_item]), api.OnItemBlockingStub | None)
    assert_type(queue.judge(judge, total, on_batch)(1, 2), int)
    assert_type([one(Item(name=""), 2) for one in queue.feed(1)], list[bool])
    assert_type(queue.reply(answer, covered, print)(Source(), late=True), api.SourceBlockingStub)
    queue.reply(answer, source, print)  # type: ignore[arg-type]
    queue.watch(gives_text, [])  # type: ignore[arg-type]
    queue.on_item(Item(name=""), 1, True)  # type: ignore[call-arg]


async def covered(one: api.SourceBlockingStub, *, late: bool = False) -> api.SourceBlockingStub:
    return one
