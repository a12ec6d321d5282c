"""The blocking face: generated blocking stubs, and a server on a loopback port whose loop runs in another thread."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import types
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from capnweb_runtime import CallbackStub, DisposedError, SessionClosed, WritableTarget, connect_blocking, serve
from capnweb_runtime.blocking import BlockingAnyStub, BlockingReadable, BlockingSession, run, timeout
from tests.gen.golden.blocking.expected import (
    BenchBlockingStub,
    BenchStub,
    BenchTarget,
    WatchTarget,
    WorkshopBlockingStub,
    WorkshopStub,
    WorkshopTarget,
)
from tests.gen.golden.blocking.schema import Tool

T = TypeVar("T")
Session = BlockingSession[WorkshopBlockingStub]


class Watch(WatchTarget):
    def __init__(self, on_tool: CallbackStub[[Tool], None]) -> None:
        self.on_tool = on_tool.dup()
        self.called = 0

    @property
    def count(self) -> int:
        return self.called

    def close(self) -> None:
        self.on_tool.dispose()

    dispose = close


class Bench(BenchTarget):
    def __init__(self, name: str = "bench") -> None:
        self.name = name

    def close(self) -> None: ...

    def add(self, a: int, b: int = 1, *more: int, scale: int = 1) -> int:
        return (a + b + sum(more)) * scale

    def take(self, name: str) -> Tool | None:
        return Tool(name=name) if name else None

    async def watch(self, on_tool: CallbackStub[[Tool], None], first: Tool | None = None) -> WatchTarget:
        watch = Watch(on_tool)
        if first is not None:
            await watch.on_tool(first)
            watch.called += 1
        return watch

    async def visit(self, guest: CallbackStub[[BenchTarget | BenchStub], str]) -> str:
        return await guest(self)

    def doubled(self) -> Callable[[int], int]:
        return lambda number: number * 2

    def neighbours(self) -> Sequence[BenchTarget]:
        return [Bench("left"), Bench("right")]

    def by_name(self) -> dict[str, BenchTarget | BenchStub]:
        return {"left": Bench("left")}

    async def meet(self, other: BenchStub, others: list[BenchStub]) -> tuple[str, BenchTarget | BenchStub]:
        tool = await other.take("saw")
        return f"{tool.name if tool else None} of {1 + len(others)}", other


class Log(WritableTarget[str]):
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def write(self, chunk: str) -> None:
        self.lines.append(chunk)


class Workshop(WorkshopTarget):
    def __init__(self, cancelled: queue.SimpleQueue[str]) -> None:
        self.written: list[str] = []
        self.cancelled = cancelled

    @property
    def motto(self) -> str:
        return "measure twice"

    def bench(self, number: int) -> BenchTarget:
        return Bench()

    async def read(self, size: int) -> AsyncIterator[bytes]:
        try:
            for index in range(size):
                yield bytes([index % 256])
        finally:
            self.cancelled.put("read")

    async def total(self, numbers: AsyncIterable[int]) -> int:
        return sum([number async for number in numbers])

    async def both(self, numbers: AsyncIterable[int] | None = None) -> AsyncIterator[int]:
        if numbers is not None:
            async for number in numbers:
                yield number + 1

    def log(self) -> WritableTarget[str]:
        return Log(self.written)

    def lines(self) -> list[str]:
        return self.written

    def fail(self, message: str) -> None:
        raise ValueError(message)

    async def wait(self) -> None:
        await asyncio.Event().wait()

    def anything(self, value: Any) -> Any:
        return value


class Server:
    """A server with a loop of its own, as in another process.

    Attributes:
        url: where it is.
        cancelled: names of streams that have ended.
    """

    def __init__(self) -> None:
        self.cancelled: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._serving = serve(lambda peer: Workshop(self.cancelled), "127.0.0.1", 0)
        self.url = self.run(self._start())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> str:
        return (await self._serving.__aenter__()).url

    async def _stop(self) -> None:
        await self._serving.__aexit__(None, None, None)

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def session(server: Server) -> Iterator[Session]:
    opened = connect_blocking(server.url, WorkshopBlockingStub)
    yield opened
    opened.close()


@pytest.fixture
def api(session: Session) -> WorkshopBlockingStub:
    return session.main


# ---- calls


def test_methods_and_properties_give_values(api: WorkshopBlockingStub) -> None:
    assert api.motto == "measure twice"
    assert api.bench(1).take("saw") == Tool(name="saw")
    assert api.bench(1).take("") is None


def test_arguments_travel_as_their_parameters_say(api: WorkshopBlockingStub) -> None:
    bench = api.bench(1)
    assert bench.add(1) == 2
    assert bench.add(1, 2, 3, 4) == 10
    assert bench.add(1, 2, scale=10) == 30


def test_capabilities_come_as_blocking_stubs_also_inside_containers(api: WorkshopBlockingStub) -> None:
    bench = api.bench(1)
    assert isinstance(bench, BenchBlockingStub)
    assert [type(stub) for stub in bench.neighbours()] == [BenchBlockingStub, BenchBlockingStub]
    assert bench.by_name()["left"].add(2) == 3


def test_stubs_and_targets_can_be_arguments(api: WorkshopBlockingStub) -> None:
    bench, other = api.bench(1), api.bench(2)
    text, back = bench.meet(other, [Bench("mine"), other])
    assert text == "saw of 3"
    assert back.add(5) == 6
    assert bench.meet(Bench("mine"), [])[0] == "saw of 1"


def test_values_of_any_type_may_have_capabilities_in_them(api: WorkshopBlockingStub) -> None:
    back = api.anything({"benches": [api.bench(1)], "number": 5})
    assert back["number"] == 5
    (bench,) = back["benches"]
    assert isinstance(bench, BlockingAnyStub)
    assert bench.call("add", 1, 2) == 3


def test_calls_of_a_stub_without_a_schema_are_pipelined_in_a_run(api: WorkshopBlockingStub) -> None:
    (bench,) = api.anything([api.bench(1)])
    assert run(bench, lambda stub: stub.call("add", 1, stub.call("add", 2, 3))) == 6


def test_functions_of_the_peer_can_be_called(api: WorkshopBlockingStub) -> None:
    with api.bench(1).doubled() as double:
        assert double(21) == 42


def test_a_wrong_argument_is_a_type_error_at_the_call(api: WorkshopBlockingStub) -> None:
    wrong: Any = "one"
    with pytest.raises(TypeError, match="argument 'a': expected int, got str"):
        api.bench(1).add(wrong)


def test_errors_keep_their_class_and_show_the_call_and_nothing_of_the_loop(api: WorkshopBlockingStub) -> None:
    with pytest.raises(ValueError, match="too short") as caught:
        api.fail("too short")
    frames = [(Path(frame.filename).name, frame.name) for frame in traceback.extract_tb(caught.tb)]
    assert frames[0][0] == Path(__file__).name
    assert frames[1:] == [("expected.py", "fail"), ("stub.py", "_call"), ("stub.py", "call")]


def test_several_threads_may_use_one_stub(api: WorkshopBlockingStub) -> None:
    bench, sums = api.bench(1), queue.SimpleQueue[int]()
    threads = [threading.Thread(target=lambda n=n: sums.put(bench.add(n, n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sums.get() for _ in threads) == [2 * n for n in range(8)]


async def test_a_call_that_would_stop_a_running_loop_says_so(server: Server, api: WorkshopBlockingStub) -> None:
    calls: list[Callable[[], object]] = [
        lambda: connect_blocking(server.url, WorkshopBlockingStub),
        lambda: api.motto,
        lambda: api.bench(1),
        api.dup,
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match=r"would stop the event loop .* await asyncio\.to_thread\("):
            call()
    assert await asyncio.to_thread(lambda: api.motto) == "measure twice"


async def test_a_notebooks_loop_waits_for_its_cells_anyway(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]  # as IPython has it
    monkeypatch.setitem(sys.modules, "IPython", module)
    shell: object = None
    with pytest.raises(RuntimeError, match="would stop the event loop"):
        connect_blocking(server.url, WorkshopBlockingStub)
    shell = object()
    with connect_blocking(server.url, WorkshopBlockingStub) as api:
        assert api.motto == "measure twice"


def test_a_disposed_stub_says_where_it_was_disposed(api: WorkshopBlockingStub) -> None:
    bench = api.bench(1)
    bench.dispose()
    line = inspect.stack()[0].lineno - 1
    with pytest.raises(DisposedError) as caught:
        bench.add(1)
    assert str(caught.value).startswith(
        f"BenchStub.add was called after the stub had been disposed at {__file__}:{line};"
    )


# ---- callbacks


def test_a_plain_function_is_called_on_the_background_thread(api: WorkshopBlockingStub) -> None:
    seen: list[tuple[str, str]] = []

    def on_tool(tool: Tool) -> None:
        seen.append((tool.name, threading.current_thread().name))

    watch = api.bench(1).watch(on_tool, Tool(name="saw"))
    assert seen == [("saw", "capnweb")]
    assert watch.count == 1
    watch.close()


def test_a_blocking_call_in_a_callback_is_refused_at_once(api: WorkshopBlockingStub) -> None:
    refused: list[str] = []

    def guest(bench: BenchBlockingStub) -> str:
        try:
            bench.add(1)
        except RuntimeError as error:
            refused.append(str(error))
        return "left"

    assert api.bench(1).visit(guest) == "left"
    assert len(refused) == 1
    assert refused[0].startswith("a blocking call inside a callback or a target would wait for itself")


def test_what_a_callback_is_given_can_be_kept_and_used_elsewhere(api: WorkshopBlockingStub) -> None:
    kept: list[BenchBlockingStub] = []

    def guest(bench: BenchBlockingStub) -> str:
        kept.append(bench.dup())
        return "thanks"

    assert api.bench(1).visit(guest) == "thanks"
    with kept[0] as bench:
        assert bench.add(1) == 2


def test_an_async_function_may_be_passed_and_may_await(api: WorkshopBlockingStub) -> None:
    async def guest(bench: BenchBlockingStub) -> str:
        await asyncio.sleep(0)
        return "later"

    assert api.bench(1).visit(guest) == "later"


# ---- streams


def test_a_stream_is_an_iterator(api: WorkshopBlockingStub) -> None:
    with api.read(3) as chunks:
        assert next(chunks) == b"\0"
        assert list(chunks) == [b"\1", b"\2"]
        assert list(chunks) == []


def test_leaving_a_stream_stops_it(api: WorkshopBlockingStub, server: Server) -> None:
    with api.read(1_000_000) as chunks:
        assert next(chunks) == b"\0"
    assert server.cancelled.get(timeout=60) == "read"


def test_a_stream_that_is_dropped_stops(api: WorkshopBlockingStub, server: Server) -> None:
    assert next(api.read(255)) == b"\0"
    gc.collect()
    assert server.cancelled.get(timeout=60) == "read"


@pytest.mark.parametrize("numbers", [[1, 2, 3], range(1, 4), (n for n in [1, 2, 3])], ids=["list", "range", "iterator"])
def test_an_ordinary_iterable_can_be_sent_as_a_stream(api: WorkshopBlockingStub, numbers: Any) -> None:
    assert api.total(numbers) == 6


def test_an_async_iterable_can_be_sent_too(api: WorkshopBlockingStub) -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert api.total(numbers()) == 3


def test_a_stream_can_be_read_to_be_sent_on(api: WorkshopBlockingStub) -> None:
    def lengths() -> Iterator[int]:
        for chunk in api.read(4):
            yield len(chunk)

    assert api.total(lengths()) == 4
    received: BlockingReadable[int] = api.both(range(3))
    assert api.total(received) == 6


def test_a_failing_iterator_breaks_its_stream(api: WorkshopBlockingStub) -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    with pytest.raises(Exception, match="no more"):
        api.total(numbers())


def test_a_stream_can_be_written(api: WorkshopBlockingStub) -> None:
    with api.log() as log:
        log.write("first")
        log.write("second")
    assert api.lines() == ["first", "second"]


# ---- pipelining


def test_run_pipelines_in_one_round_trip_and_gives_the_value(api: WorkshopBlockingStub, session: Session) -> None:
    assert run(api, lambda api: api.bench(1).add(20, 22)) == 42
    assert session.stats().round_trips == 1
    assert api.bench(1).add(20, 22) == 42
    assert session.stats().round_trips == 3


def test_run_takes_async_functions_and_capabilities_in_their_results_can_be_covered(api: WorkshopBlockingStub) -> None:
    async def first(api: WorkshopStub) -> BenchStub:
        async with api.bench(1) as bench:
            return (await bench.neighbours())[0]

    assert BenchBlockingStub(run(api, first)).add(1) == 2
    with pytest.raises(TypeError, match="WorkshopBlockingStub covers a WorkshopStub, not <BenchStub>"):
        WorkshopBlockingStub(run(api, first))


# ---- timeouts and interruption


def test_a_call_that_takes_longer_than_the_session_allows_is_given_up(server: Server) -> None:
    with connect_blocking(server.url, WorkshopBlockingStub, timeout=0.01) as api:
        with pytest.raises(TimeoutError, match=r"the call took longer than 0\.01 s"):
            api.wait()
        with timeout(None):
            assert api.motto == "measure twice"


def test_a_timeout_block_bounds_its_calls_together(api: WorkshopBlockingStub) -> None:
    with timeout(0.01):
        with timeout(60), pytest.raises(TimeoutError):
            api.wait()
        with pytest.raises(TimeoutError, match="was up before it began"):
            api.motto  # noqa: B018  # reading it is a call
    assert api.motto == "measure twice"


def test_a_timeout_error_of_the_peer_is_told_as_it_is(api: WorkshopBlockingStub) -> None:
    async def late(api: WorkshopStub) -> None:
        raise TimeoutError("the peer's")

    with timeout(60), pytest.raises(TimeoutError, match="the peer's"):
        run(api, late)


def test_ctrl_c_ends_the_call_and_nothing_else(api: WorkshopBlockingStub) -> None:
    begun = threading.Event()

    async def interrupted(api: WorkshopStub) -> None:
        begun.set()
        try:
            await api.wait()
        finally:
            begun.set()

    def interrupt() -> None:
        begun.wait()
        begun.clear()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(api, interrupted)
    thread.join()
    assert begun.wait(60)  # the call on the loop has been cancelled
    assert api.motto == "measure twice"


# ---- endings


def test_closing_is_safe_to_repeat_and_calls_fail_afterwards(server: Server) -> None:
    session = connect_blocking(server.url, WorkshopBlockingStub)
    session.close()
    session.close()
    with pytest.raises(DisposedError):
        session.main.motto  # noqa: B018  # reading it is a call


def test_a_disposed_stub_says_so(api: WorkshopBlockingStub) -> None:
    bench = api.bench(1)
    with bench.dup() as other:
        bench.dispose()
        assert other.add(1) == 2
    with pytest.raises(DisposedError):
        bench.add(1)


def test_dropped_stubs_are_released_without_a_warning(session: Session) -> None:
    before = session.stats().imports
    session.main.bench(1).add(1)
    gc.collect()
    assert session.stats().imports == before


def test_a_session_ends_with_the_last_of_its_stubs(server: Server) -> None:
    broken = threading.Event()
    bench = connect_blocking(server.url, WorkshopBlockingStub).main.bench(1)
    gc.collect()
    assert bench.add(1) == 2  # the session lives as long as this
    bench.on_broken(lambda _: broken.set())
    del bench
    gc.collect()
    assert broken.wait(60)


def test_no_connection_is_told_at_once() -> None:
    with pytest.raises(SessionClosed, match=r"ws://127\.0\.0\.1:1"):
        connect_blocking("ws://127.0.0.1:1", WorkshopBlockingStub)


def test_http_carries_one_call_or_one_run(server: Server) -> None:
    url = server.url.replace("ws://", "http://")
    with connect_blocking(url, WorkshopBlockingStub) as api:
        assert run(api, lambda api: api.bench(1).add(20, 22)) == 42
    with connect_blocking(url, WorkshopBlockingStub) as other:
        assert other.motto == "measure twice"
        with pytest.raises(SessionClosed, match="Batch RPC request ended"):
            other.motto  # noqa: B018  # reading it is a call


def in_a_process(program: str, url: str) -> str:
    head = """
        import os, sys
        from capnweb_runtime import connect_blocking
        from tests.gen.golden.blocking.expected import WorkshopBlockingStub
        url = sys.argv[1]
    """
    text = textwrap.dedent(head) + textwrap.dedent(program)
    command = [sys.executable, "-W", "error", "-c", text, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_a_program_may_end_with_its_session_open(server: Server) -> None:
    program = """
        import atexit, threading
        atexit.register(lambda: print("threads", threading.active_count()))  # the first to register is the last to run
        session = connect_blocking(url, WorkshopBlockingStub)
        chunks = session.main.read(1000)
        print(session.main.motto, next(chunks))
    """
    assert in_a_process(program, server.url) == "measure twice b'\\x00'\nthreads 1\n"


def test_a_program_may_end_after_requests_by_http(server: Server) -> None:
    program = """
        with connect_blocking(url, WorkshopBlockingStub) as api:
            print(api.motto)
    """
    assert in_a_process(program, server.url.replace("ws://", "http://")) == "measure twice\n"


def test_a_forked_process_is_told_to_connect_anew_and_harms_nobody(server: Server) -> None:
    program = """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
        session = connect_blocking(url, WorkshopBlockingStub)
        child = os.fork()
        if not child:
            try:
                session.main.motto
            except Exception as error:
                print(error, flush=True)
            session.close()
            with connect_blocking(url, WorkshopBlockingStub) as api:
                print("child", api.motto, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("parent", session.main.motto)
        session.close()
    """
    assert in_a_process(program, server.url).splitlines() == [
        "the session belongs to the process that this one was forked from: connect again here",
        "child measure twice",
        "parent measure twice",
    ]


def test_importing_the_runtime_does_not_load_the_blocking_face() -> None:
    program = "import sys, capnweb_runtime.codegen_api; print([name for name in sys.modules if 'block' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
