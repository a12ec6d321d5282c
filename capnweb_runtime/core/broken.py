"""Hooks that carry an error. Rule: whatever is asked of one fails with it."""

from __future__ import annotations

from collections.abc import Callable

from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.pipe import NOT_CONSUMED, Pipe
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

    def stream(self, path: Path, args: Payload) -> tuple[Cell[Payload], int | None]:
        args.dispose()
        done: Cell[Payload] = Cell()
        done.reject(self.error)
        return done, 0  # as of a message that does not arrive: nobody on this side has failed

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


class PipeGuard(ErrorHook):
    """Owns a readable stream in a payload: disposing the payload cancels the stream if nobody has begun to read it."""

    __slots__ = ("_dropped", "_host", "pipe")

    def __init__(self, pipe: Pipe, host: Host, dropped: bool = False) -> None:
        super().__init__(RpcError("Cannot call methods on a ReadableStream stub"))
        self.pipe = pipe
        self._host = host
        self._dropped = dropped  # by its reader

    @property
    def host(self) -> Host:
        return self._host

    def dispose(self) -> None:
        if self._dropped or not self.pipe.taken:
            self.pipe.cancel(RpcError(NOT_CONSUMED))


DISPOSED = ErrorHook(DisposedError("Attempted to use RPC stub after it has been disposed."))
"""What a stub holds once it has been disposed."""
