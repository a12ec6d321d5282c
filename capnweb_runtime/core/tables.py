"""The import and export tables of a session. Rule: an id is always ours, and every introduction and every release is
counted.

Positive ids are calls and pipes, counted up by whoever sends them; negative ids are capabilities, counted down by
whoever exports them; 0 is the main object of each side. An import entry lives until its last local reference goes or
its promise resolves; an export entry until the peer has released it as often as it was introduced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from capnweb_runtime.core.asked import AskedPull
from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, Wire, dispose_all
from capnweb_runtime.errors import RpcError

if TYPE_CHECKING:
    from capnweb_runtime.core.importer import Importer
    from capnweb_runtime.core.introductions import Interface

_CANCELLED = "RPC was canceled because the RpcPromise was disposed."
_GIVEN_UP = ErrorHook(RpcError(_CANCELLED))


class Made(NamedTuple):
    """How an entry of a table came about; known where somebody wants to know, see `debugging`.

    Attributes:
        member: interface and method of the call that is meant, or that it came with; "" if that is not known.
        what: the interface of an object; "" if that is not known.
        place: file and line of the application that made it; None if that is not known.
        since: when, by the clock of the host.
    """

    member: str
    what: str
    place: tuple[str, int] | None
    since: float


class Sender(Protocol):
    """What an import needs of its session."""

    host: Host
    home: Any
    closed: bool

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        """Pushes a call, or a read where there are no arguments; owns the arguments."""
        ...

    def send_stream(self, import_id: int, path: Path, args: Payload) -> tuple[Cell[Payload], int]:
        """Sends a call whose result is only waited for; owns the arguments. Returns the result and the bytes sent."""
        ...

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        """Pushes a map; owns the captures."""
        ...

    def send_pull(self, import_id: int) -> None:
        """Asks for the resolution of a promise."""
        ...

    def give_up(self, import_id: int, count: int) -> None:
        """Gives up an import, which has been introduced that often."""
        ...

    def send_release(self, import_id: int, count: int) -> None:
        """Tells the peer that an import is given up which is off the table already."""
        ...

    def backlog(self) -> Cell[None] | None:
        """See `Hook.backlog`."""
        ...

    def full(self) -> Cell[None] | None:
        """See `Hook.full`."""
        ...

    def watch(self, callback: Callable[[BaseException], object]) -> Watch:
        """Calls back when the session ends."""
        ...


class Ended:
    """The sender of the imports of a session that has ended: they need nothing of it any more, and so do not keep it.
    Whatever is asked of them fails before it comes to this.

    Parameters:
        host: the session's.
    """

    __slots__ = ("home", "host")

    closed = True
    bounds_calls = True  # there are none

    def __init__(self, host: Host) -> None:
        self.host = host
        self.home = host.home

    def watch(self, callback: Callable[[BaseException], object]) -> Watch:
        """There is nothing to be told any more."""
        return Watch(callback)


class Watch:
    """A callback for the end of the session; it can be moved elsewhere."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[BaseException], object]) -> None:
        self.callback: Callable[[BaseException], object] | None = callback


class ImportEntry:
    """Something of the peer's: a capability, or the promise of a result.

    Attributes:
        import_id: our id of it.
        local_refs: hooks over this entry.
        remote_refs: how often the peer has introduced it; what a release gives back.
        resolution: what a promise has resolved to; the entry is off the table by then.
        expect: codec of the result, if known.
        waiting: settles with the result; there once it has been pulled.
    """

    __slots__ = (
        *("expect", "import_id", "interface", "local_refs", "made", "remote_refs", "resolution", "sender", "waiting"),
        "watches",
    )
    interface: Interface  # of an object, if the peer has said of which it is
    made: Made  # if anybody wants to know

    def __init__(self, sender: Sender, import_id: int, expect: Codec | None = None) -> None:
        self.sender: Sender | Any = sender  # `Ended` once the session has
        self.import_id = import_id
        self.local_refs = 0
        self.remote_refs = 1
        self.resolution: Hook | None = None
        self.expect = expect
        self.waiting: Cell[Payload] | None = None
        self.watches: list[Watch] | None = None

    def pull(self) -> Payload | Cell[Payload]:
        """The result, asking the peer for it if that has not been done."""
        if self.resolution is not None:
            return self.resolution.pull()
        waiting = self.waiting
        if waiting is None:
            waiting = self.waiting = Cell()
            self.sender.send_pull(self.import_id)
        return waiting

    def resolve(self, resolution: Hook) -> None:
        """Takes the result, which this entry owns from here on, gives the promise back to the peer and lets those
        who wait continue; the entry is off the table.
        """
        if self.resolution is not None or self.local_refs == 0:
            resolution.dispose()
            return
        self.resolution = resolution
        count = self.remote_refs
        if count > 0:
            self.remote_refs = 0
            self.sender.send_release(self.import_id, count)
        if self.watches is not None:
            self._move_watches(self.watches, resolution)
        waiting = self.waiting
        if waiting is None:
            return
        self.waiting = None
        pulled = resolution.pull()
        if isinstance(pulled, Payload):
            waiting.resolve(pulled)
        else:
            pulled.then(waiting.resolve, waiting.reject)

    def _move_watches(self, watches: list[Watch], resolution: Hook) -> None:
        self.watches = None
        for watch in watches:
            callback, watch.callback = watch.callback, None
            if callback is not None:
                resolution.on_broken(callback)

    def fail(self, error: BaseException) -> None:
        """Breaks the entry: those who wait get the error, and so does whoever uses it later. Nothing is sent."""
        if self.resolution is None:
            self.resolution = ErrorHook(error)
            self.watches = None
            waiting, self.waiting = self.waiting, None
            if waiting is not None:
                waiting.reject(error)

    def drop(self) -> None:
        """The last local reference is gone."""
        if self.resolution is not None:
            self.resolution.dispose()
            return
        if self.waiting is None and self.watches is None:
            self.resolution = _GIVEN_UP  # nobody will ask
        else:
            self.fail(RpcError(_CANCELLED))
        count, self.remote_refs = self.remote_refs, 0
        if count > 0:
            self.sender.give_up(self.import_id, count)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """Calls back when the session ends; moves on to what a promise resolves to."""
        if self.resolution is not None:
            self.resolution.on_broken(callback)
            return
        if self.watches is None:
            self.watches = []
        self.watches.append(self.sender.watch(callback))


class WriteEntry(ImportEntry):
    """A write to a stream of the peer's, which releases it by itself.

    Parameters:
        done: settles with the result.
        on_end: called before that.
    """

    __slots__ = ("_on_end",)

    def __init__(self, sender: Sender, import_id: int, done: Cell[Payload], on_end: Callable[[], None]) -> None:
        super().__init__(sender, import_id)
        self.local_refs = 1
        self.remote_refs = 0
        self.waiting = done
        self._on_end = on_end

    def resolve(self, resolution: Hook) -> None:
        if self.resolution is None:
            self._on_end()
        super().resolve(resolution)

    def fail(self, error: BaseException) -> None:
        if self.resolution is None:
            self._on_end()
        super().fail(error)


class ImportHook(Hook):
    """A reference to something of the peer's. Owns one local reference of its entry."""

    __slots__ = ("entry",)

    def __init__(self, entry: ImportEntry) -> None:
        entry.local_refs += 1
        self.entry: ImportEntry | None = entry

    def __del__(self) -> None:
        # Dropped without having been disposed. What a promise resolved to needs nothing: the hooks in it have
        # finalizers of their own.
        entry = self.entry
        if entry is not None and entry.resolution is None and not entry.sender.closed:
            entry.sender.host.discard(self)

    @property
    def held(self) -> bool:
        entry = self.entry
        return entry is not None and entry.resolution is None and not entry.sender.closed

    @property
    def made(self) -> Made | None:
        return getattr(self.entry, "made", None)

    @property
    def host(self) -> Host:
        return self.opened().sender.host

    @property
    def waiting(self) -> Cell[Payload] | None:
        return None if self.entry is None else self.entry.waiting

    @property
    def home(self) -> Any:
        entry = self.entry
        return None if entry is None else entry.sender.home

    def opened(self) -> ImportEntry:
        """The entry. Raises DisposedError if this reference has been given up."""
        if self.entry is None:
            raise GIVEN_BACK.error_of("a stub was used", "it")
        return self.entry

    def watch(self, callback: Callable[[BaseException], object]) -> Watch:
        """Calls back when the session ends, until that is called off. Raises DisposedError as `opened` does."""
        return self.opened().sender.watch(callback)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        entry = self.entry
        if entry is None:
            args.dispose()
            return GIVEN_BACK
        if entry.resolution is not None:
            return entry.resolution.call(path, args, expect)
        return entry.sender.send_call(entry.import_id, path, args, expect)

    def backlog(self) -> Cell[None] | None:
        entry = self.entry
        return None if entry is None or entry.resolution is not None else entry.sender.backlog()

    def full(self) -> Cell[None] | None:
        entry = self.entry
        return None if entry is None or entry.resolution is not None else entry.sender.full()

    def stream(self, path: Path, args: Payload) -> tuple[Cell[Payload], int | None]:
        entry = self.entry
        if entry is None:
            return super().stream(path, args)
        if entry.resolution is None:
            return entry.sender.send_stream(entry.import_id, path, args)
        if isinstance(entry.resolution, ErrorHook):
            return entry.resolution.stream(path, args)
        return super().stream(path, args)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        entry = self.entry
        if entry is None:
            return GIVEN_BACK
        if entry.resolution is not None:
            return entry.resolution.get(path, expect)
        if not path:
            return self.dup()
        return entry.sender.send_call(entry.import_id, path, None, expect)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        entry = self.entry
        if entry is None:
            dispose_all(captures)
            return GIVEN_BACK
        if entry.resolution is not None:
            return entry.resolution.map(path, captures, instructions, expect, budget)
        return entry.sender.send_map(entry.import_id, path, captures, instructions, expect)

    def dup(self) -> Hook:
        entry = self.opened()
        host = entry.sender.host
        if host.here() is not host.home:  # or another session, on another loop, would hold it
            host.elsewhere()
        return ImportHook(entry)

    def pull(self) -> Payload | Cell[Payload]:
        return (self.entry or self.opened()).pull()

    def dispose(self) -> None:
        entry, self.entry = self.entry, None
        if entry is not None:
            entry.local_refs -= 1
            if entry.local_refs == 0:
                entry.drop()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        if self.entry is not None:
            self.entry.on_broken(callback)


class MainHook(ImportHook):
    """The reference to the peer's main object. Disposing it ends the session."""

    __slots__ = ("_shut_down",)

    def __init__(self, entry: ImportEntry, shut_down: Callable[[], None]) -> None:
        super().__init__(entry)
        self._shut_down: Callable[[], None] | None = shut_down

    def let_go(self) -> None:
        """The session has ended."""
        self._shut_down = None

    def dispose(self) -> None:
        shut_down, self._shut_down = self._shut_down, None
        if shut_down is not None:
            shut_down()


class ExportEntry:
    """Something of ours that the peer may use: a capability, or the result of one of its calls.

    Attributes:
        hook: what it is; owned by the entry.
        refcount: how often it has been introduced and not been released.
        pulled: whether the peer has asked for its resolution, or is sent it without asking; what its answer waits for,
            if that waits for nothing else.
        auto_release: whether it is released once its resolution has been sent.
        readable_taken: whether the readable end of a pipe has been used.
    """

    __slots__ = ("auto_release", "hook", "made", "pulled", "readable_taken", "refcount")
    made: Made  # if anybody wants to know

    def __init__(self, hook: Hook) -> None:
        self.hook = hook
        self.refcount = 1
        self.pulled: bool | AskedPull = False
        self.auto_release = False
        self.readable_taken = False


def is_introduced(wire: list[Wire], importer: Importer) -> bool:
    """Whether an expression of an object says of which interface it is."""
    return 2 < len(wire) <= 4 and wire[0] == "export" and importer.introductions is not None


def introduce(hook: Hook, wire: list[Wire], importer: Importer) -> None:
    """Takes note of the interface of an object.

    Parameters:
        hook: a new reference to the object.
        wire: the expression.
        importer: the session.
    """
    interface = None if importer.introductions is None else importer.introductions.heard(wire[2:])
    if interface is not None and isinstance(hook, ImportHook) and hook.entry is not None:
        hook.entry.interface = interface
