"""The capabilities that the conformance server hands out, beside its main object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from capnweb_runtime import RpcError, WritableTarget
from examples.conformance.generated.conformance import AuthedTarget, CounterTarget, TrackedTarget
from examples.conformance.schema.conformance import Friend, Profile, SinkState


class Counter(CounterTarget):
    """A number that is kept."""

    def __init__(self, value: float) -> None:
        self._value = value

    @property
    def value(self) -> float:
        return self._value

    def increment(self, n: float = 1) -> float:
        self._value += n
        return self._value


class Tracked(TrackedTarget):
    """Tells when it is disposed."""

    def __init__(self, on_dispose: Callable[[], None]) -> None:
        self._on_dispose = on_dispose

    def ping(self) -> str:
        return "pong"

    def dispose(self) -> None:
        self._on_dispose()


class Authed(AuthedTarget):
    """The one user that there is."""

    @property
    def profile(self) -> Profile:
        return Profile(id=42, name="alice", tags=["admin", "dev"])

    def get_user_id(self) -> int:
        return 42

    def get_user_name(self) -> str:
        return "alice"

    def get_friend_ids(self) -> list[int]:
        return [7, 8, 9]

    def get_friend(self, id: int) -> Friend:
        return Friend(id=id, name=f"friend-{id}")


class Sink(WritableTarget[Any]):
    """Keeps the chunks that are written to it, in a state that others can read."""

    def __init__(self, state: SinkState) -> None:
        self._state = state

    def write(self, chunk: Any) -> None:
        self._state.chunks.append(chunk)

    def close(self) -> None:
        self._state.state = "closed"

    def abort(self, reason: BaseException) -> None:
        self._state.state = "aborted"
        self._state.reason = str(reason)


class FailingSink(WritableTarget[Any]):
    """Fails at one write."""

    def __init__(self, fails_at: int) -> None:
        self._fails_at = fails_at
        self._count = 0

    def write(self, chunk: Any) -> None:
        self._count += 1
        if self._count == self._fails_at + 1:
            raise RpcError(f"sink failed at {self._fails_at}")
