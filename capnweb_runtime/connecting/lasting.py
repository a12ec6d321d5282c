"""References that outlast a session. Rule: a reference does nothing by itself; what it leads to is an entry.

A `LastingHook` stands under each stub and promise of a client that reconnects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from capnweb_runtime.connecting.entries import Entry
from capnweb_runtime.connecting.operations import Call, Mapped, Read
from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, StubRef, Wire, dispose_all
from capnweb_runtime.core.refs import PlainStub, WritableRef
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.tables import ImportHook
from capnweb_runtime.core.value_hooks import PayloadHook


class LastingHook(Hook):
    """A reference that outlasts a session. Owns one reference of its entry."""

    __slots__ = ("entry",)

    lasts = True

    def __init__(self, entry: Entry) -> None:
        entry.refs += 1
        self.entry: Entry | None = entry

    def __del__(self) -> None:
        # Dropped without having been disposed: in any thread, and in the middle of anything.
        entry = self.entry
        if entry is not None:
            entry.client.host.discard(_Dropped(entry))

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

    @property
    def waiting(self) -> Cell[Payload] | None:
        return None if self.entry is None else self.entry.waiting

    @property
    def can_be_had(self) -> bool:
        """Whether what it leads to is there, or can be got again; if it has been given up, that is another fault."""
        return self.entry is None or self.entry.lasts

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
            operation = Call(path, args, expect, host, entry.client.intercepts)
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
        return entry.client.ask(entry, Read(path, expect, entry.client.intercepts))

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        return self._map(path, captures, instructions, expect, False)

    def map_idempotent(self, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None) -> Hook:
        return self._map(path, captures, instructions, expect, True)

    def _map(
        self, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None, idempotent: bool
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
        mapped = Mapped(path, captures, instructions, expect, idempotent, entry.client.intercepts)
        return entry.client.ask(entry, mapped)

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


class _Dropped(ErrorHook):
    """What is left of a reference that was dropped: disposing it forgets the reference."""

    __slots__ = ("_entry",)

    def __init__(self, entry: Entry) -> None:
        super().__init__(GIVEN_BACK.error)
        self._entry = entry

    def dispose(self) -> None:
        self._entry.refs -= 1
        if self._entry.refs == 0:
            self._entry.drop(disposed=False)


class MainLastingHook(LastingHook):
    """The reference to the main object that the application was given. Disposing it ends the client."""

    __slots__ = ()

    def dispose(self) -> None:
        entry = self.entry
        super().dispose()
        if entry is not None:
            entry.client.shut_down()


class Root(Entry):
    """The main object of whatever server answers."""

    __slots__ = ()

    @property
    def lasts(self) -> bool:
        return True

    def bound(self) -> Hook:
        session = self.client.session
        assert session is not None
        return session.remote_main

    def pull(self) -> Payload | Cell[Payload]:
        stub = PlainStub(LastingHook(self))
        return Payload(stub, None, [stub._hook])

    def drop(self, *, disposed: bool) -> None:
        """It is there as long as the client."""


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


def copied(value: Any, part: Callable[[Path, Hook], Entry], hooks: list[Hook], path: Path = ()) -> Any:
    """A plain tree with references that last in place of those to capabilities of a session.

    Parameters:
        value: the tree, in which all promises have been resolved.
        part: makes an entry of a place in the tree and a hook for what is there, which the entry owns.
        hooks: gets the references, owned by the caller.
        path: where the tree stands in a larger one.
    """
    if type(value) is list:
        return [copied(item, part, hooks, (*path, index)) for index, item in enumerate(value)]
    if type(value) is dict:
        return {key: copied(item, part, hooks, (*path, key)) for key, item in value.items()}
    if not isinstance(value, StubRef) or isinstance(value, WritableRef) or not isinstance(value._hook, ImportHook):
        return value
    hook = LastingHook(part(path, value._hook.dup()))
    hooks.append(hook)
    return PlainStub(hook)
