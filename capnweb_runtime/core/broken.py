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

    @property
    def home(self) -> None:
        return None

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


class DisposedHook(ErrorHook):
    """What is left of a reference that has been given up.

    Parameters:
        how: by what, as it goes into a sentence: a file and the number of the line that did it, or a text.
    """

    __slots__ = ("_how",)

    def __init__(self, how: tuple[str, int] | str) -> None:
        super().__init__(_DISPOSED)
        self._how = how

    def dup(self) -> Hook:
        raise self.error_of("a stub was used", "it")

    def error_of(self, what: str, kind: str) -> DisposedError:
        """The error for a use of it.

        Parameters:
            what: what was done, such as "CounterStub.increment was called".
            kind: what had been disposed by then, such as "the stub".
        """
        how = self._how if isinstance(self._how, str) else " at {}:{}".format(*self._how)
        return DisposedError(f"{what} after {kind} had been disposed{how}; {_KEEP}")

    def failing(self, what: str, kind: str) -> ErrorHook:
        """A hook that carries the error for a use of it; see `error_of`."""
        return ErrorHook(self.error_of(what, kind))


_KEEP = "keep a dup() of a stub for what is still to come, and dispose that on its own"
_DISPOSED = DisposedError(f"a stub, promise or stream was used after it had been disposed; {_KEEP}")

DISPOSED = DisposedHook("")
"""What a promise or a stream holds once it has been disposed."""
GIVEN_BACK = DisposedHook(" with the call or the result that it came in")
"""What a reference is that the core has disposed under its stub."""
