"""Two sessions back to back, without an event loop: a test moves the messages by hand and so decides the interleaving.

A target's method that returns a `Cell` is answered when the test settles that cell.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Path, Payload
from capnweb_runtime.core.session import Session
from capnweb_runtime.driving.host import HostBase
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.promise_face import ERROR, PENDING, VALUE
from capnweb_runtime.objects.stub import RpcPromise
from capnweb_runtime.objects.target import RpcTarget, target_hook
from capnweb_runtime.observe import Observer

T = TypeVar("T")


class Recording(Observer):
    """Keeps what an application would be told."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, BaseException]] = []
        self.ends: list[BaseException] = []
        self.replace: Callable[[BaseException], BaseException] = lambda error: error

    def target_failed(self, where: str, error: BaseException) -> None:
        self.failures.append((where, error.with_traceback(None)))  # whose frames keep the test's promises alive

    def sending_error(self, error: BaseException) -> BaseException:
        return self.replace(error)

    def session_ended(self, reason: BaseException) -> None:
        self.ends.append(reason)


class Counted(ErrorHook):
    """A broken hook that counts the references to it."""

    __slots__ = ("references",)

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.references = 1

    def dup(self) -> Hook:
        self.references += 1
        return self

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self.dup() if not path else self

    def dispose(self) -> None:
        self.references -= 1


class _Waiter:
    """What waits for a promise on behalf of a cell, as a future does on behalf of a task."""

    def __init__(self, cell: Cell[Any]) -> None:
        self.done = lambda: cell.settled
        self.set_result = cell.resolve
        self.set_exception = cell.reject


def awaited(promise: RpcPromise[Any]) -> Cell[Any]:
    """A cell that settles with what `await` gives."""
    cell: Cell[Any] = Cell()
    result = promise._begun()
    if result.state == VALUE:
        cell.resolve(result.value)
    elif result.state == ERROR:
        cell.reject(result.value)
    else:
        waiter: Any = _Waiter(cell)
        result._waiters = [*(result._waiters or ()), waiter]
    return cell


def gathered(cells: Sequence[Cell[Any]]) -> Cell[list[Any]]:
    """A cell that settles with the values of all of them."""
    values: dict[int, Any] = {}
    result: Cell[list[Any]] = Cell()
    for index, cell in enumerate(cells):

        def place(value: Any, index: int = index) -> None:
            values[index] = value
            if len(values) == len(cells):
                result.resolve([values[position] for position in range(len(cells))])

        cell.then(place, result.reject)
    return result


class SyncHost(HostBase):
    """Runs every call inline, waits for a promise that one returns, and disposes what has been discarded on
    `collect`.
    """

    def __init__(self, observer: Observer | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self.wakes = 0
        super().__init__(observer or Recording(), limits)

    def wake_from_anywhere(self) -> None:
        self.wakes += 1

    def now(self) -> float:
        return 0.0

    def start(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        result = function(*args, **kwargs)
        if isinstance(result, Awaitable) and not isinstance(result, RpcPromise) and function.__name__ == "aclose":
            with contextlib.suppress(StopIteration):  # of an async generator, which ends at once if it has not begun
                result.__await__().send(None)
            return None
        return awaited(result) if isinstance(result, RpcPromise) else result


class Side:
    """One session, everything it has sent, and what is on its way to the peer."""

    def __init__(self, main: RpcTarget | Hook | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self.observer = Recording()
        self.host = SyncHost(self.observer, limits)
        self.closed_with: list[BaseException] = []
        self.wakes = 0
        self.sent: list[str] = []
        self.on_its_way: deque[str] = deque()
        hook = target_hook(main, self.host) if isinstance(main, RpcTarget) else main
        self.session = Session(
            hook,
            host=self.host,
            wake=self._wake,
            on_closed=self.closed_with.append,
            limits=limits,
            observer=self.observer,
        )

    def _wake(self) -> None:
        self.wakes += 1

    @property
    def failures(self) -> list[tuple[str, BaseException]]:
        """What the application has been told: where, and the error."""
        return self.observer.failures

    def main(self, stub: Callable[[Hook], T]) -> T:
        return stub(self.session.remote_main)

    def take(self) -> list[str]:
        """What the session has written since the last time."""
        texts = [message.decode() for message in self.session.take_outbox()]
        self.session.go_on()
        self.sent += texts
        return texts

    def hear(self, *messages: Any) -> list[str]:
        """Takes messages, each as text, bytes or a tree, and returns what the session writes then."""
        for message in messages:
            self.session.receive(message if isinstance(message, (str, bytes)) else json.dumps(message))
        return self.take()

    def assert_empty(self) -> None:
        """The tables hold nothing but the two main objects, no call is open, and the session lives."""
        assert self.session.reason is None
        stats = self.session.stats()
        assert (stats.imports, stats.exports, stats.calls) == (1, 1, 0), (
            f"left over: imports {sorted(self.session._imports)}, exports {sorted(self.session._exports)}, "
            f"{stats.calls} calls"
        )


class Pair:
    """Two sessions that exchange messages when told to."""

    def __init__(
        self, main_a: RpcTarget | None = None, main_b: RpcTarget | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.a = Side(main_a, limits)
        self.b = Side(main_b, limits)

    def step(self, sender: Side) -> str | None:
        """Delivers the sender's next message, if it has one, and returns it."""
        sender.on_its_way.extend(sender.take())
        if not sender.on_its_way:
            return None
        text = sender.on_its_way.popleft()
        (self.b if sender is self.a else self.a).session.receive(text)
        return text

    def run(self) -> bool:
        """Delivers everything both ways until nothing is on its way; returns whether there was anything."""
        moved = False
        while any([self.step(self.a), self.step(self.b)]):
            moved = True
        return moved

    def wait(self, promise: RpcPromise[T]) -> T:
        """Asks for a promise's value, as awaiting it does, moves messages, and returns or raises the outcome."""
        begin(promise)
        self.run()
        return outcome(promise)

    def assert_empty(self) -> None:
        """Nothing is left on either side, once what has been dropped is collected."""
        gc.collect()
        self.run()
        self.a.assert_empty()
        self.b.assert_empty()


def run_all(*pairs: Pair) -> None:
    """Delivers everything in sessions that feed each other."""
    while any(pair.run() for pair in pairs):
        pass


def begin(promise: RpcPromise[Any]) -> None:
    """Asks for a promise's value without waiting for it."""
    promise._begun()


def is_pending(promise: RpcPromise[Any]) -> bool:
    """Whether a promise that has been asked for is without outcome."""
    return promise._begun().state == PENDING


def outcome(promise: RpcPromise[T]) -> T:
    """The value of a promise that has arrived; raises its error, or AssertionError if there is no outcome."""
    result = promise._begun()
    assert result.state != PENDING, "the promise has no outcome"
    if result.state == ERROR:
        raise result.value
    value: T = result.value
    return value


def pulled(hook: Hook) -> Any:
    """The value of a hook that has one; raises its error."""
    found: list[Any] = []
    failed: list[BaseException] = []
    result = hook.pull()
    if isinstance(result, Payload):
        return result.value
    result.then(lambda payload: found.append(payload.value), failed.append)
    if failed:
        raise failed[0]
    assert found, "the hook has no outcome"
    return found[0]
