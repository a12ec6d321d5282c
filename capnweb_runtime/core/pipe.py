"""The receiving end of a stream: chunks that came and have not been read. Rule: a chunk is acknowledged when it is
read, never earlier; and somebody answers for the end that is read, until it has ended.

A pipe's writable end is a hook that the peer calls (write, close, abort); its readable end is read on this side, once.
Not reading is what slows the sender down; what a sender buffers here in spite of that is bounded.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from sys import getsizeof
from typing import Any, Final, Protocol

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import SMALL, HeldBytes
from capnweb_runtime.errors import LimitExceeded, RpcError

NOT_CONSUMED: Final = "ReadableStream RPC stub was disposed without being consumed"
ALREADY_READ: Final = "A stream has one reader: this one is being read, or has been passed on, already."
NOT_CLOSED: Final = "WritableStream RPC stub was disposed without calling close()"


_TEXTS: Final = frozenset((bytes, str))
"""Types of chunks of which it is known at once what they take."""
PIPE: Final = 2048
"""Bytes that a pipe takes."""
UNREAD: Final = 1024
"""Bytes that a chunk takes which waits to be read, beside its values: with the write that waits for that."""


class Chunk(Protocol):
    """What a pipe carries: a payload."""

    value: Any

    def dispose(self) -> None:
        """Disposes the capabilities in it."""
        ...


class _Unread:
    """A chunk that has not been read.

    Attributes:
        chunk: the payload.
        size: bytes of the message that brought it.
        counted: bytes that count as held for it.
        done: settles when it has been read.
        known: whether the promises in it have been resolved.
    """

    __slots__ = ("chunk", "counted", "done", "known", "size")

    def __init__(self, chunk: Chunk, size: int, counted: int, done: Cell[None], known: bool) -> None:
        self.chunk = chunk
        self.size = size
        self.counted = counted
        self.done = done
        self.known = known


class Readable:
    """The end of a stream that is read, in a plain tree of values.

    It has one reader. Until there is one, the payloads in which it stands own it together: if the last of them is
    disposed first, nobody will ever read it, and its source is told. Whoever takes it answers for it from then on.

    Attributes:
        taken: whether somebody has undertaken to read it to its end, or to cancel it.
    """

    __slots__ = ("_owners", "taken")

    def __init__(self) -> None:
        self._owners = 0
        self.taken = False

    def own(self) -> None:
        """Counts a payload as an owner."""
        self._owners += 1

    def disown(self) -> None:
        """An owner is gone; the last one gives up what nobody has taken."""
        self._owners -= 1
        if self._owners == 0 and not self.taken:
            self.give_up()

    @abstractmethod
    def give_up(self) -> None:
        """Tells the source that nobody will read it."""


class Pipe(Readable):
    """Chunks on their way to one reader.

    Parameters:
        max_bytes: size of the chunks that may wait unread; passing it breaks the stream.
        held: what the session makes this side hold.

    Attributes:
        on_failed: told of the error that breaks the stream, at once: who reads asks for it only when it reads on.
    """

    __slots__ = (
        "_bytes",
        "_cancel_reason",
        "_chunks",
        "_ended",
        "_error",
        "_held",
        "_max_bytes",
        "_readers",
        "on_failed",
    )

    def __init__(self, max_bytes: int, held: HeldBytes) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._held = held
        self._bytes = 0
        self._chunks: deque[_Unread] = deque()
        self._readers: deque[Cell[Chunk | None]] = deque()
        self._ended = False
        self._error: BaseException | None = None
        self._cancel_reason: BaseException | None = None
        self.on_failed: Callable[[BaseException], None] | None = None

    def write(self, chunk: Chunk, size: int, waiting: Cell[Any] | None = None) -> Cell[None]:
        """Takes a chunk, which the pipe owns from here on.

        Parameters:
            chunk: the payload.
            size: bytes of the message that brought it.
            waiting: settles once the promises in it have been resolved, for which later chunks wait too; None if
                there are none.

        Returns:
            A cell that settles when the chunk has been read.
        """
        done: Cell[None] = Cell()
        refusal = self._refusal()
        at_once = bool(self._readers) and not self._chunks and waiting is None
        counted = 0
        if refusal is None and not at_once:
            values = size
            if size > SMALL:
                values = getsizeof(chunk.value) if type(chunk.value) in _TEXTS else self._held.of_message() or size
            counted = UNREAD + values
            refusal = self._too_much(size, counted)
        if refusal is not None:
            chunk.dispose()
            done.reject(refusal)
        elif at_once:
            self._readers.popleft().resolve(chunk)
            done.resolve(None)
        else:
            self._bytes += size
            unread = _Unread(chunk, size, counted, done, waiting is None)
            self._chunks.append(unread)
            if waiting is not None:
                waiting.then(lambda _: self._known(unread), lambda error: self._refuse(unread, error))
        return done

    def _too_much(self, size: int, counted: int) -> LimitExceeded | None:
        """The error that breaks the stream, if a chunk of the size may not wait as well; if it may, it counts."""
        if self._bytes + size > self._max_bytes:
            error = LimitExceeded(
                f"more than {self._max_bytes} bytes of a stream wait to be read: "
                "write on only as writes are acknowledged"
            )
        else:
            held = self._held
            held.bytes += counted
            if held.bytes <= held.look_at:
                return None
            try:
                held.look(counted)
            except LimitExceeded as refused:
                error = refused
            else:
                return None
        self.fail(error)
        return error

    def _no_longer_waits(self, unread: _Unread) -> None:
        self._bytes -= unread.size
        self._held.bytes -= unread.counted

    def _known(self, unread: _Unread) -> None:
        unread.known = True
        self._serve()

    def _refuse(self, unread: _Unread, error: BaseException) -> None:
        """A promise in a chunk has failed: that write fails, and the others go on."""
        if unread in self._chunks:
            self._chunks.remove(unread)
            self._no_longer_waits(unread)
            unread.chunk.dispose()
            unread.done.reject(error)
            self._serve()

    def _serve(self) -> None:
        """Gives those who wait what there is."""
        while self._readers and (self._ended if not self._chunks else self._chunks[0].known):
            self._take(self._readers.popleft())

    def _take(self, reader: Cell[Chunk | None]) -> None:
        """Gives a reader the next chunk, or the end."""
        if not self._chunks:
            reader.resolve(None)
            return
        unread = self._chunks.popleft()
        self._bytes -= unread.size
        self._held.bytes -= unread.counted
        reader.resolve(unread.chunk)
        unread.done.resolve(None)

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
            self._chunks[-1].done.then(lambda _: done.resolve(None), done.reject)
        else:
            done.resolve(None)
        self._serve()
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
        if self.on_failed is not None:
            self.on_failed(error)

    def cancel(self, reason: BaseException) -> None:
        """The reader wants no more: what waits is dropped, and the sender's writes fail with the reason."""
        if self._cancel_reason is None:
            self._cancel_reason = reason
            self._drop(reason)
            readers, self._readers = self._readers, deque()
            for reader in readers:
                reader.resolve(None)

    def give_up(self) -> None:
        """Cancels it, as nobody will read it."""
        self.cancel(RpcError(NOT_CONSUMED))

    def _drop(self, reason: BaseException) -> None:
        chunks, self._chunks = self._chunks, deque()
        for unread in chunks:
            self._no_longer_waits(unread)
            unread.chunk.dispose()
            unread.done.reject(reason)

    def read(self) -> Cell[Chunk | None]:
        """The next chunk, owned by the caller; None at the end."""
        read: Cell[Chunk | None] = Cell()
        if self._error is not None:
            read.reject(self._error)
        elif self._cancel_reason is not None:
            read.resolve(None)
        else:
            self._readers.append(read)
            self._serve()
        return read

    def collect(self, max_bytes: int) -> Cell[bytes]:
        """Reads chunks of bytes to the end; rejects a chunk that is none, or more bytes than allowed."""
        self.taken = True
        return _Collecting(self, max_bytes, self._held).start()


class _Collecting:
    """Reads a pipe to its end, chunk by chunk."""

    __slots__ = ("_bytes", "_counted", "_held", "_max_bytes", "_pipe", "_result")

    def __init__(self, pipe: Pipe, max_bytes: int, held: HeldBytes) -> None:
        self._held = held
        self._counted: list[Any] = []  # what has been read so far
        self._pipe = pipe
        self._max_bytes = max_bytes
        self._bytes = bytearray()
        self._result: Cell[bytes] = Cell()

    def start(self) -> Cell[bytes]:
        self._pipe.read().then(self._take, self._result.reject)
        return self._result

    def _take(self, chunk: Chunk | None) -> None:
        if chunk is None:
            whole, self._bytes = bytes(self._bytes), bytearray()
            self._result.resolve(whole)
            self._counted.clear()
            return
        data = chunk.value
        chunk.dispose()
        if not isinstance(data, (bytes, bytearray)):
            self._stop(TypeError("a blob is a stream of bytes, and something else came in it"))
        elif len(self._bytes) + len(data) > self._max_bytes:
            self._stop(LimitExceeded(f"a blob of more than {self._max_bytes} bytes came in"))
        else:
            try:
                self._counted.append(self._held.count(len(data)))
            except LimitExceeded as error:
                self._stop(error)
                return
            self._bytes += data
            self.start()

    def _stop(self, error: BaseException) -> None:
        self._pipe.cancel(error)
        self._result.reject(error)
