"""Passing on a stream that came in: chunks are read from a pipe of one session and written into one of another. Rule: a
chunk is read when there is room for it, and whatever ends one side ends the other.

No code of an application runs here, and nothing waits but callbacks: a chunk goes out within the message that brought
it. What has been read is acknowledged, so that each of the two sessions may have a window of the stream on its way.
Nothing imports this module before a stream is passed on, which most programs never do.
"""

from __future__ import annotations

import contextlib
from typing import Any, cast

from capnweb_runtime.core.flow import FlowWindow, Token
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.hook import Codec, Hook, Payload
from capnweb_runtime.core.interface import Arguments, Parameter, argument_error
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import decode_payload
from capnweb_runtime.core.pipe import ALREADY_READ, Chunk, Pipe
from capnweb_runtime.core.refs import PassedOn
from capnweb_runtime.core.tables import Sender
from capnweb_runtime.errors import NOT_OURS, SessionClosed, as_answer


def _spent() -> Pipe:
    """What an application holds in place of the pipe of a stream that it has passed on: reading it fails."""
    pipe = Pipe(0, HeldBytes(0))
    pipe.fail(TypeError(ALREADY_READ))
    return pipe


def pass_on(source: Any, into: Hook, sender: Sender) -> None:
    """Takes a stream that came in, and writes it into a pipe.

    Parameters:
        source: a `Pipe` or `PassedOn`; or any stream that has a reader already, of which the receiver is told.
        into: the writable end of the pipe; owned from here on.
        sender: the session of that pipe.
    """
    if source.taken:
        into.stream(("abort",), Payload([TypeError(ALREADY_READ)]))
        into.dispose()
        return
    source.taken = True
    pump = Pump(source, into, sender)
    if sender.closed:  # by the message itself, for which there was no room
        pump.stop(SessionClosed("the session has ended"))
    else:
        pump.go_on()


class Pump:
    """Writes one pipe into another. It answers for both of them, and for the chunks in between.

    Parameters:
        source: a pipe that came in, taken by this pump; or what the application has made of one, which is left empty.
        into: the writable end of the other pipe, in another session or the same; owned from here on.
        sender: the session of that pipe.
    """

    __slots__ = ("_codec", "_ended", "_full", "_into", "_pipe", "_read_as", "_sender", "_watch", "_window")

    def __init__(self, source: Pipe | PassedOn, into: Hook, sender: Sender) -> None:
        self._codec: Arguments | None = None
        self._read_as: Codec | None = None
        if isinstance(source, PassedOn):
            # It came as chunks of one type, and goes out as chunks of the type that the application sends it as.
            self._pipe, source.stream._pipe = source.stream._pipe, _spent()
            self._read_as, codec = source.stream._codec, cast(Any, source.codec)
            self._codec = Arguments((Parameter("chunk", codec),))
        else:
            self._pipe = source
        self._pipe.taken = True
        self._pipe.on_failed = self._abort
        self._into = into
        self._sender = sender
        self._window = FlowWindow()
        self._full = False  # until an acknowledgement makes room
        self._ended = False
        self._watch = sender.watch(self.stop)

    def go_on(self) -> None:
        """Reads and writes as long as there is something to read, and room to write."""
        if self._ended:
            return
        if not self._window.open:
            self._full = True
            return
        backlog = self._into.backlog() if self._window.in_flight else None
        if backlog is None:
            self._pipe.read().then(self._write, self._abort)
        else:
            backlog.then(lambda _: self.go_on(), self.stop)

    def _write(self, chunk: Chunk | None) -> None:
        """Passes on the next chunk, or the end."""
        if self._ended:  # while it was waited for
            if chunk is not None:
                chunk.dispose()
        elif chunk is None:
            self._into.stream(("close",), Payload([]))[0].then(lambda _: self._end(), self.stop)
        else:
            self._pass_on(chunk)

    def _pass_on(self, chunk: Chunk) -> None:
        try:
            done, size = self._into.stream(("write",), self._outgoing(chunk))
        except NOT_OURS:
            raise
        except BaseException as error:  # a chunk that has no wire form, or is not of its type
            shown = argument_error(error) if isinstance(error, Mismatch) else as_answer(error)
            chunk.dispose()
            self._pipe.cancel(shown)
            self._abort(shown)
            return
        token = self._window.sent(size or 0, self._sender.host.now())
        done.then(lambda _: self._acknowledged(token), self.stop)
        self.go_on()

    def _outgoing(self, chunk: Any) -> Payload:
        """The arguments of a write, which own what the chunk owned."""
        if self._read_as is None:
            value: Any = [chunk.value]
        else:
            try:
                value = (decode_payload(chunk, self._read_as, self._sender.host),), {}
            except Mismatch as mismatch:
                raise mismatch.error("chunk") from None
        hooks, chunk.hooks = chunk.hooks, None
        args = Payload(value, self._codec, hooks)
        args.shared = chunk.shared
        return args

    def _acknowledged(self, token: Token) -> None:
        self._window.acknowledged(token, self._sender.host.now())
        if self._full and self._window.open:
            self._full = False
            self.go_on()

    def _abort(self, error: BaseException) -> None:
        """The source has failed: whoever reads is told."""
        if not self._ended:
            with contextlib.suppress(Exception):  # an error that cannot be sent: to give up the pipe breaks it, too
                self._into.stream(("abort",), Payload([error]))[0].then(_ignore, _ignore)
            self._end()

    def stop(self, error: BaseException) -> None:
        """Nobody reads any more, or nobody can be reached: whoever writes is told.

        Parameters:
            error: what the writer is told.
        """
        if not self._ended:
            self._end()
            self._pipe.cancel(error)

    def _end(self) -> None:
        self._ended = True
        self._pipe.on_failed = None
        self._watch.callback = None
        self._into.dispose()


def _ignore(_: object) -> None:
    """An abort's own outcome interests nobody."""
