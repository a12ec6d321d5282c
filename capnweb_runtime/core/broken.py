"""Hooks that carry an error. Rule: whatever is asked of one fails with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.errors import DisposedError, RpcError


class ErrorHook(Hook):
    """A hook that is broken: whatever is asked of it fails with its error. Disposing it does nothing."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @property
    def host(self) -> Host:
        raise self.error

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        args.dispose()
        return self

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        dispose_all(captures)
        return self

    def dup(self) -> Hook:
        return self

    def pull(self) -> Payload | Cell[Payload]:
        cell: Cell[Payload] = Cell()
        cell.reject(self.error)
        return cell

    def dispose(self) -> None:
        pass

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        callback(self.error)


_NO_METHODS: Final = RpcError("Cannot call methods on a ReadableStream stub")


class ReadableGuard(ErrorHook):
    """Owns a readable stream on behalf of the payload in which it stands."""

    __slots__ = ("_readable",)

    def __init__(self, readable: Readable) -> None:
        super().__init__(_NO_METHODS)
        self._readable: Readable | None = readable
        readable.own()

    def dup(self) -> Hook:
        return self if self._readable is None else ReadableGuard(self._readable)

    def dispose(self) -> None:
        readable, self._readable = self._readable, None
        if readable is not None:
            readable.disown()


class DroppedReader(ErrorHook):
    """What is left of a reader that was dropped before the end: disposing it cancels the stream."""

    __slots__ = ("_pipe",)

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(_NO_METHODS)
        self._pipe = pipe

    def dispose(self) -> None:
        self._pipe.give_up()


DISPOSED = ErrorHook(DisposedError("Attempted to use RPC stub after it has been disposed."))
"""What a stub holds once it has been disposed."""
