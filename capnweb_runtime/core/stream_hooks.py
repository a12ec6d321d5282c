"""The writable end of a pipe, as the peer calls it: write, close, abort, and nothing else. Rule: chunks keep the
order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, IncomingArgs, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.payload import make_plain, resolve_promises
from capnweb_runtime.core.pipe import NOT_CLOSED, PIPE, Pipe
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import RpcError
from capnweb_runtime.values import UNDEFINED


class PipeHook(Hook):
    """The one reference to a pipe's writable end; owned by the export table. Raises LimitExceeded if there is no room
    for it.
    """

    __slots__ = ("_closed", "_counted", "_host", "pipe")

    def __init__(self, pipe: Pipe, host: Host) -> None:
        self.pipe = pipe
        self._host = host
        self._closed = False
        self._counted = host.held.count(PIPE)

    @property
    def host(self) -> Host:
        return self._host

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        return self._call(path, args.payload(), args.size)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        make_plain(args, self._host, arguments=True)
        return self._call(path, args, 0)

    def _call(self, path: Path, args: Payload, size: int) -> Hook:
        if path == ("write",):
            return self._after(self._write(args, size))
        if path == ("close",):
            args.dispose()
            self._closed = True
            return self._after(self.pipe.close())
        if path == ("abort",):
            return self._abort(args)
        args.dispose()
        return ErrorHook(RpcError(f"Unknown WritableStream method: {'.'.join(map(str, path))}"))

    def _write(self, args: Payload, size: int) -> Cell[None]:
        """A chunk with promises in it waits for them, and what comes after it waits too."""
        waiting = resolve_promises(args, self._host)
        chunk = _chunk_of(args)
        if waiting is not None:
            waiting.then(partial(_put_in, chunk, args), lambda error: None)
        return self.pipe.write(chunk, size, waiting)

    def _abort(self, args: Payload) -> Hook:
        self._closed = True
        reason = args.value[0] if args.value else UNDEFINED
        args.dispose()
        self.pipe.fail(reason if isinstance(reason, BaseException) else RpcError(f"the stream was aborted: {reason}"))
        return PayloadHook(Payload(UNDEFINED), self._host)

    def _after(self, done: Cell[None]) -> Hook:
        """The hook of a call that is done with the cell: its result is undefined."""
        if done.fulfilled:
            return PayloadHook(Payload(UNDEFINED), self._host)
        result: Cell[Hook] = Cell()
        done.then(lambda _: result.resolve(PayloadHook(Payload(UNDEFINED), self._host)), result.reject)
        return PromiseHook(result, self._host)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return ErrorHook(RpcError("Cannot access properties on a WritableStream stub"))

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        dispose_all(captures)
        return ErrorHook(RpcError("Cannot use map() on a WritableStream"))

    def dup(self) -> Hook:
        return ErrorHook(RpcError("Cannot dup the writable end of a pipe"))

    def pull(self) -> Payload | Cell[Payload]:
        return ErrorHook(RpcError("Cannot pull a WritableStream stub")).pull()

    def dispose(self) -> None:
        self._counted = None
        if not self._closed:
            self._closed = True
            self.pipe.fail(RpcError(NOT_CLOSED))

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A pipe's own end never breaks."""


def forward_stream(target: Hook, path: Path, args: Payload) -> Hook:
    """The hook, owned by the caller, of the result of a write that is passed on to another peer, as a write where there
    is room for one; owns the arguments. A write that cannot be encoded fails.
    """
    if target.backlog() is not None:
        return target.call(path, args)  # which has a bound
    host = target.host
    try:
        done, _ = target.stream(path, args)
    except Exception as error:  # of the values in it
        args.dispose()
        return ErrorHook(error)
    result: Cell[Hook] = Cell()
    done.then(lambda payload: result.resolve(PayloadHook(payload, host)), result.reject)
    return PromiseHook(result, host)


def _chunk_of(args: Payload) -> Payload:
    """The payload of the chunk among a write's arguments, with the capabilities in it."""
    return Payload(args.value[0] if args.value else UNDEFINED, None, args.hooks)


def _put_in(chunk: Payload, args: Payload, _: object) -> None:
    """The promises in a write's arguments have been resolved."""
    chunk.value, chunk.shared = args.value[0], args.shared
