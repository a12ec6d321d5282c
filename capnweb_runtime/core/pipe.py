"""The receiving end of a stream: chunks that came and have not been read. Rule: a chunk is acknowledged when it is read, never earlier.

A pipe's writable end is a hook that the peer calls (write, close, abort); its readable end is read on this side, once. Not reading is what slows
the sender down; what a sender buffers here in spite of that is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, ErrorHook, Hook, Host, Path, Payload, Wire, dispose_all
from capnweb_runtime.errors import LimitExceeded, RpcError

NOT_CONSUMED = "ReadableStream RPC stub was disposed without being consumed"
NOT_CLOSED = "WritableStream RPC stub was disposed without calling close()"


class Pipe:
    """Chunks on their way to one reader.

    Parameters:
        max_chunks: chunks that may wait unread; one more breaks the stream.
    """

    __slots__ = ("_cancel_reason", "_chunks", "_ended", "_error", "_max_chunks", "_readers", "taken")

    def __init__(self, max_chunks: int) -> None:
        self._max_chunks = max_chunks
        self._chunks: deque[tuple[Payload, Cell[None]]] = deque()
        self._readers: deque[Cell[Payload | None]] = deque()
        self._ended = False
        self._error: BaseException | None = None
        self._cancel_reason: BaseException | None = None
        self.taken = False  # whether somebody reads it

    def write(self, chunk: Payload) -> Cell[None]:
        """Takes a chunk, which the pipe owns from here on; the cell settles when it has been read."""
        done: Cell[None] = Cell()
        refusal = self._refusal()
        if refusal is not None:
            chunk.dispose()
            done.reject(refusal)
        elif self._readers:
            self._readers.popleft().resolve(chunk)
            done.resolve(None)
        elif len(self._chunks) >= self._max_chunks:
            chunk.dispose()
            error = LimitExceeded(
                f"more than {self._max_chunks} chunks of a stream wait to be read: write only as writes are acknowledged"
            )
            self.fail(error)
            done.reject(error)
        else:
            self._chunks.append((chunk, done))
        return done

    def _refusal(self) -> BaseException | None:
        if self._cancel_reason is not None:
            return self._cancel_reason
        if self._error is not None:
            return self._error
        return RpcError("The stream has been closed.", "TypeError") if self._ended else None

    def close(self) -> Cell[None]:
        """No more chunks will come. The cell settles when all have been read."""
        done: Cell[None] = Cell()
        refusal = self._refusal()
        if refusal is not None:
            done.reject(refusal)
            return done
        self._ended = True
        if self._chunks:
            self._chunks[-1][1].then(lambda _: done.resolve(None), done.reject)
        else:
            done.resolve(None)
        readers, self._readers = self._readers, deque()
        for reader in readers:
            reader.resolve(None)
        return done

    def fail(self, error: BaseException) -> None:
        """Breaks the stream: what has not been read is dropped, and the reader gets the error."""
        if self._ended or self._error is not None:
            return
        self._error = error
        self._drop(error)
        readers, self._readers = self._readers, deque()
        for reader in readers:
            reader.reject(error)

    def cancel(self, reason: BaseException) -> None:
        """The reader wants no more: what waits is dropped, and the sender's writes fail with the reason."""
        if self._cancel_reason is None:
            self._cancel_reason = reason
            self._drop(reason)
            readers, self._readers = self._readers, deque()
            for reader in readers:
                reader.resolve(None)

    def _drop(self, reason: BaseException) -> None:
        chunks, self._chunks = self._chunks, deque()
        for chunk, done in chunks:
            chunk.dispose()
            done.reject(reason)

    def read(self) -> Cell[Payload | None]:
        """The next chunk, owned by the caller; None at the end."""
        read: Cell[Payload | None] = Cell()
        if self._chunks:
            chunk, done = self._chunks.popleft()
            read.resolve(chunk)
            done.resolve(None)
        elif self._error is not None:
            read.reject(self._error)
        elif self._ended or self._cancel_reason is not None:
            read.resolve(None)
        else:
            self._readers.append(read)
        return read

    def collect(self, max_bytes: int) -> Cell[bytes]:
        """Reads chunks of bytes to the end; rejects a chunk that is none, or more bytes than allowed."""
        self.taken = True
        return _Collecting(self, max_bytes).start()


class _Collecting:
    """Reads a pipe to its end, chunk by chunk."""

    __slots__ = ("_bytes", "_max_bytes", "_pipe", "_result")

    def __init__(self, pipe: Pipe, max_bytes: int) -> None:
        self._pipe = pipe
        self._max_bytes = max_bytes
        self._bytes = bytearray()
        self._result: Cell[bytes] = Cell()

    def start(self) -> Cell[bytes]:
        self._pipe.read().then(self._take, self._result.reject)
        return self._result

    def _take(self, chunk: Payload | None) -> None:
        if chunk is None:
            self._result.resolve(bytes(self._bytes))
            return
        data = chunk.value
        chunk.dispose()
        if not isinstance(data, (bytes, bytearray)):
            self._stop(TypeError("a blob is a stream of bytes, and something else came in it"))
        elif len(self._bytes) + len(data) > self._max_bytes:
            self._stop(LimitExceeded(f"a blob of more than {self._max_bytes} bytes came in"))
        else:
            self._bytes += data
            self.start()

    def _stop(self, error: BaseException) -> None:
        self._pipe.cancel(error)
        self._result.reject(error)


class PipeHook(Hook):
    """The writable end of a pipe, as the peer calls it."""

    __slots__ = ("_closed", "_host", "pipe")

    def __init__(self, pipe: Pipe, host: Host) -> None:
        self.pipe = pipe
        self._host = host
        self._closed = False

    @property
    def host(self) -> Host:
        return self._host

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        method = path[0] if len(path) == 1 else None
        if method == "write":
            return self._host.hook_of(self._write(args))
        args_value: list[object] = list(args.value) if args.codec is None else []
        args.dispose()
        if method == "close":
            self._closed = True
            return self._host.hook_of(self.pipe.close())
        if method == "abort":
            self._closed = True
            reason = args_value[0] if args_value else None
            self.pipe.fail(
                reason if isinstance(reason, BaseException) else RpcError(f"the stream was aborted: {reason}")
            )
            done: Cell[None] = Cell()
            done.resolve(None)
            return self._host.hook_of(done)
        return ErrorHook(RpcError(f"Unknown WritableStream method: {'.'.join(map(str, path))}"))

    def _write(self, args: Payload) -> Cell[None]:
        """A chunk with promises in it waits for them, as the arguments of any call do."""
        waiting = self._host.resolve(args)
        if waiting is None:
            return self.pipe.write(_first(args))
        done: Cell[None] = Cell()
        waiting.then(lambda _: self.pipe.write(_first(args)).then(done.resolve, done.reject), done.reject)
        return done

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return ErrorHook(RpcError("Cannot access properties on a WritableStream stub"))

    def map(self, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None = None) -> Hook:
        dispose_all(captures)
        return ErrorHook(RpcError("Cannot use map() on a WritableStream"))

    def dup(self) -> Hook:
        return self  # one writer: the pipe's own export

    def pull(self) -> Payload | Cell[Payload]:
        cell: Cell[Payload] = Cell()
        cell.reject(RpcError("Cannot pull a WritableStream stub"))
        return cell

    def dispose(self) -> None:
        if not self._closed:
            self._closed = True
            self.pipe.fail(RpcError(NOT_CLOSED))

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A local pipe never breaks."""


def _first(args: Payload) -> Payload:
    """The payload of the chunk among a write's arguments; undefined where there is none is left to the reader."""
    chunk = args.value[0] if args.value else None
    return Payload(chunk, None, args.hooks)
