"""What stands for capabilities, streams and local objects in a tree of values. Rule: nothing here does anything."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from capnweb_runtime.core.hook import Codec, Held, Hook, Host, PromiseRef, StubRef, Uncopied
from capnweb_runtime.core.pipe import Pipe, Readable


class PlainStub(StubRef):
    """A capability in a plain tree that no application sees."""

    __slots__ = ()

    def __init__(self, hook: Hook) -> None:
        self._hook = hook


class WritableRef(StubRef):
    """A writable stream in a tree of values."""

    __slots__ = ()

    _instead = "it has one writer"


class PlainWritable(WritableRef):
    """A writable stream in a plain tree that no application sees."""

    __slots__ = ()

    def __init__(self, hook: Hook) -> None:
        self._hook = hook


class PlainPromise(PromiseRef):
    """A promise in a plain tree that no application sees."""

    __slots__ = ()

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._path = ()


class Exportable(Held, ABC):
    """Base of local objects that are passed by reference.

    Attributes:
        _export_kind: the expression that introduces it.
    """

    _export_kind = "export"

    @abstractmethod
    def _export(self, host: Host) -> Hook:
        """A new hook over this object, owned by the caller."""


class ReadableRef(Held, Uncopied):
    """Base of readable streams that came in, as the application holds them."""

    _instead = "it has one reader; copy what has been read"
    _pipe: Pipe
    _codec: Codec


class PassedOn(Readable):
    """A stream that came in, that the application has held, and that goes out again: in a plain tree, until it is sent.
    Payloads that own it own its pipe.

    Attributes:
        stream: what the application holds, and may use until it is sent.
        codec: how a chunk travels; it came as the stream's own codec says.
    """

    __slots__ = ("_pipe", "codec", "stream")

    def __init__(self, stream: ReadableRef, codec: Codec) -> None:
        super().__init__()
        self.stream = stream
        self.codec = codec
        self._pipe = stream._pipe

    def own(self) -> None:
        self._pipe.own()

    def disown(self) -> None:
        self._pipe.disown()

    def give_up(self) -> None:
        self._pipe.give_up()


class Local:
    """A value inside a wire form that is never written: it crosses a loopback as it is."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value
