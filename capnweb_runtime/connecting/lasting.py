"""References that outlast a session. Rule: a reference is to an entry, which knows the hook of the current session that
stands for it, or how to get one.

A `LastingHook` stands under each stub and promise of a client that reconnects; what it refers to is in `recipes`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from capnweb_runtime.connecting.operations import Call, Mapped, Operation, Read
from capnweb_runtime.core.broken import GIVEN_BACK
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, StubRef, Wire, dispose_all
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.tables import ImportHook
from capnweb_runtime.core.value_hooks import PayloadHook


class Client(Protocol):
    """What references need of the client that has them.

    Attributes:
        session: the current one; None while there is none.
        generation: how many there have been.
    """

    session: Session | None
    generation: int

    @property
    def host(self) -> Host:
        """Runs the application's code while there is no session."""
        ...

    def ask(self, source: Entry, operation: Operation) -> Hook:
        """Does something with what a reference leads to, now or once there is a session. Returns a hook for the result,
        owned by the caller. Raises what encoding arguments raises.
        """
        ...

    def watch(self, entry: Entry) -> None:
        """Tells the entry when a session is lost, and when another has taken its place."""
        ...

    def shut_down(self) -> None:
        """The main stub has been disposed."""
        ...


class Entry:
    """What a reference refers to.

    Attributes:
        client: the client that has it.
        refs: hooks over this entry.
    """

    __slots__ = ("__weakref__", "_on_broken", "_on_restored", "client", "refs")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.refs = 0
        self._on_broken: list[Callable[[BaseException], object]] = []
        self._on_restored: list[Callable[[], object]] = []

    @property
    @abstractmethod
    def lasts(self) -> bool:
        """Whether it is there, or can be got again, once there is a session."""

    @abstractmethod
    def bound(self) -> Hook:
        """The hook that stands for it in the current session, still owned by this; one that carries an error if there
        is none and none can be got. To be called only while there is a session.
        """

    @abstractmethod
    def pull(self) -> Payload | Cell[Payload]:
        """See `Hook.pull`."""

    @abstractmethod
    def drop(self, *, disposed: bool) -> None:
        """The last reference is gone: disposed, or forgotten by the application. It may still be a recipe."""

    @property
    def held(self) -> bool:
        """See `Hook.held`."""
        return False

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """See `Hook.on_broken`."""
        self._on_broken.append(callback)
        self.client.watch(self)

    def on_restored(self, callback: Callable[[], object]) -> None:
        """See `Hook.on_restored`."""
        self._on_restored.append(callback)
        self.client.watch(self)

    def broken(self, error: BaseException) -> None:
        """Tells those who wanted to know, once."""
        callbacks, self._on_broken, self._on_restored = self._on_broken, [], []
        for callback in callbacks:
            self._guarded("on_broken", partial(callback, error))

    def restored(self) -> None:
        """Tells those who wanted to know."""
        for callback in self._on_restored:
            self._guarded("on_restored", callback)

    def _guarded(self, where: str, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as failure:  # a callback's failure concerns the application, not the other callbacks
            self.client.host.report(where, failure)


class LastingHook(Hook):
    """A reference that outlasts a session. Owns one reference of its entry."""

    __slots__ = ("entry",)

    lasts = True

    def __init__(self, entry: Entry) -> None:
        entry.refs += 1
        self.entry: Entry | None = entry

    def __del__(self) -> None:
        entry = self.entry
        if entry is not None:
            entry.refs -= 1
            if entry.refs == 0:
                entry.drop(disposed=False)

    def _opened(self) -> Entry:
        if self.entry is None:
            raise GIVEN_BACK.error_of("a stub was used", "it")
        return self.entry

    @property
    def host(self) -> Host:
        client = self._opened().client
        return client.host if client.session is None else client.session.host

    @property
    def home(self) -> Any:
        return None if self.entry is None else self.entry.client.host.home

    @property
    def held(self) -> bool:
        return self.entry is not None and self.entry.held

    def known_to(self, session: object) -> int | None:
        entry = self.entry
        current = None if entry is None else entry.client.session
        if entry is None or current is None or current is not session:
            return None
        return _known(entry.bound(), current)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        entry = self.entry
        if entry is None:
            args.dispose()
            return GIVEN_BACK
        host = entry.client.host
        try:
            self._begin(host)
            operation = Call(path, args, expect, host)
        except BaseException:
            args.dispose()
            raise
        return entry.client.ask(entry, operation)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        entry = self.entry
        if entry is None:
            return GIVEN_BACK
        if not path:
            return self.dup()
        self._begin(entry.client.host)
        return entry.client.ask(entry, Read(path, expect))

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
        try:
            self._begin(entry.client.host)
        except BaseException:
            dispose_all(captures)
            raise
        return entry.client.ask(entry, Mapped(path, captures, instructions, expect))

    def _begin(self, host: Host) -> None:
        if host.here() is not host.home:
            host.elsewhere()

    def stream(self, path: Path, args: Payload) -> tuple[Cell[Payload], int | None]:
        entry = self.entry
        if entry is None or entry.client.session is None:
            return super().stream(path, args)
        return entry.bound().stream(path, args)

    def backlog(self) -> Cell[None] | None:
        entry = self.entry
        return None if entry is None or entry.client.session is None else entry.bound().backlog()

    def full(self) -> Cell[None] | None:
        entry = self.entry
        return None if entry is None or entry.client.session is None else entry.bound().full()

    def dup(self) -> Hook:
        entry = self._opened()
        self._begin(entry.client.host)
        return LastingHook(entry)

    def pull(self) -> Payload | Cell[Payload]:
        return self._opened().pull()

    def dispose(self) -> None:
        entry, self.entry = self.entry, None
        if entry is not None:
            entry.refs -= 1
            if entry.refs == 0:
                entry.drop(disposed=True)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        if self.entry is not None:
            self.entry.on_broken(callback)

    def on_restored(self, callback: Callable[[], object]) -> None:
        if self.entry is not None:
            self.entry.on_restored(callback)


class MainLastingHook(LastingHook):
    """The reference to the main object that the application was given. Disposing it ends the client."""

    __slots__ = ()

    def dispose(self) -> None:
        entry = self.entry
        super().dispose()
        if entry is not None:
            entry.client.shut_down()


def _known(hook: Hook, session: Session) -> int | None:
    """Id of what a hook of a session stands for; of the capability that a promise has been resolved to."""
    known = session.import_id(hook)
    if known is None and isinstance(hook, ImportHook) and hook.entry is not None:
        resolution = hook.entry.resolution
        if isinstance(resolution, PayloadHook):
            value = resolution.pull().value
            if isinstance(value, StubRef):
                return session.import_id(value._hook)
    return known
