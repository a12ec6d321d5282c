"""Read by type checkers, never run: what they infer of the blocking face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import connect_blocking
from capnweb_runtime.blocking import BlockingSession, run, timeout
from tests.gen.golden.blocking.expected import (
    BenchBlockingStub,
    BenchPromise,
    BenchStub,
    BenchTarget,
    CloseableBlockingStub,
    WatchBlockingStub,
    WorkshopBlockingStub,
    WorkshopStub,
)
from tests.gen.golden.blocking.schema import Tool


def values() -> None:
    """Calls and properties give values, capabilities come as blocking stubs."""
    with connect_blocking("ws://localhost:8080/rpc", WorkshopBlockingStub, timeout=5) as api:
        assert_type(api, WorkshopBlockingStub)
        assert_type(api.motto, str)
        bench = api.bench(1)
        assert_type(bench, BenchBlockingStub)
        assert_type(bench.add(1, 2, 3, scale=2), int)
        assert_type(bench.take("saw"), Tool | None)
        assert_type(bench.neighbours(), list[BenchBlockingStub])
        assert_type(bench.by_name(), dict[str, BenchBlockingStub])
        assert_type(bench.meet(bench, [bench, *bench.neighbours()]), tuple[str, BenchBlockingStub])
        assert_type(bench.doubled()(2), int)
        assert_type(api.anything(1), Any)


def sessions() -> None:
    """Without `with`, a session gives its main object."""
    session = connect_blocking("ws://localhost:8080/rpc", WorkshopBlockingStub)
    assert_type(session, BlockingSession[WorkshopBlockingStub])
    assert_type(session.main, WorkshopBlockingStub)
    session.close()


def functions(bench: BenchBlockingStub) -> None:
    """Callbacks are plain functions or async ones, which are given blocking stubs."""
    tools: list[Tool] = []
    assert_type(bench.watch(tools.append), WatchBlockingStub)
    assert_type(bench.visit(lambda other: "seen"), str)

    async def later(other: BenchBlockingStub) -> str:
        return "seen"

    def wrong(other: BenchStub) -> str:
        return "seen"

    bench.visit(later)
    bench.visit(wrong)  # type: ignore[arg-type]
    bench.visit(lambda other: 5)  # type: ignore[arg-type,return-value]


def streams(api: WorkshopBlockingStub) -> None:
    """Streams are iterators, and ordinary iterables are streams."""
    with api.read(5) as chunks:
        for chunk in chunks:
            assert_type(chunk, bytes)
    assert_type(api.total([1, 2]), int)
    assert_type(api.total(number for number in range(3)), int)

    async def numbers() -> AsyncIterator[int]:
        yield 1

    def words() -> Iterator[str]:
        yield "one"

    api.total(numbers())
    api.total(api.both())
    api.total(words())  # type: ignore[arg-type]
    with api.log() as log:
        assert_type(log, rpc.BlockingWritable[str])
        log.write("line")
        log.write(1)  # type: ignore[arg-type]


def pipelines(api: WorkshopBlockingStub, bench: BenchBlockingStub, watch: WatchBlockingStub) -> None:
    """`run` gives what awaiting in the async face gives."""
    assert_type(run(api, lambda api: assert_type(api, WorkshopStub).bench(1).add(1)), int)
    assert_type(run(api, lambda api: api.bench(1).neighbours().map(lambda other: other.add(1))), list[int])
    assert_type(run(api, lambda api: assert_type(api.bench(1), BenchPromise)), BenchStub)
    assert_type(BenchBlockingStub(run(api, lambda api: api.bench(1))), BenchBlockingStub)
    run(bench, lambda bench: bench.add("one"))  # type: ignore[arg-type]
    with timeout(5):
        watch.close()


def arguments(bench: BenchBlockingStub, watch: WatchBlockingStub, stub: BenchStub, target: BenchTarget) -> None:
    """Targets and blocking stubs are capabilities; what is not blocking, or of another interface, is refused."""
    closeable: CloseableBlockingStub = watch
    closeable.close()
    bench.meet(target, [])
    bench.meet(bench, [bench])
    bench.meet(watch, [])  # type: ignore[arg-type]
    bench.meet(stub, [])  # type: ignore[arg-type]
    bench.take(run(bench, lambda bench: bench.add(1)))  # type: ignore[arg-type]
