"""Hooks that carry an error. Rule: whatever is asked of one fails with it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.errors import DisposedError, RpcError


class ErrorHook(Hook):
    """A hook that is broken: whatever is asked of it fails with its error. Disposing it does nothing.

    Attributes:
        error: the error.
        counted: what counts as held for as long as this lives, if somebody counts it.
    """

    __slots__ = ("counted", "error")

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.counted: object = None

    @property
    def host(self) -> Host:
        raise self.error

    @property
    def home(self) -> None:
        return None

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


def calling_place(module: str) -> tuple[str, int]:
    """File and line from which a module was called.

    Parameters:
        module: the module's file; it is the caller of this.
    """
    frame = sys._getframe(2)
    while frame.f_code.co_filename == module and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def forget_frames(error: BaseException) -> None:
    """Gives up the frames in which an error and what led to it were raised, with all that is in them: the observer has
    seen them.
    """
    part: BaseException | None = error
    while part is not None and part.__traceback__ is not None:
        part.__traceback__ = None
        part = part.__cause__ or part.__context__
