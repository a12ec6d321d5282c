"""Sessions that know who made what they hold. Rule: what is looked at is noted with the entry itself, and goes when
that goes; what is not looked at does not pay.

`watched` looks at everything, `sampled` at one call in so many.
"""

from __future__ import annotations

from typing import Any, Final

from capnweb_runtime.core.hook import Codec, Hook, Path, Payload, Wire
from capnweb_runtime.core.interface import Arguments, Method, Property, PropertyPath
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.tables import ImportEntry, ImportHook, Made
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.debugging.names import interface_of
from capnweb_runtime.debugging.places import asking_place
from capnweb_runtime.debugging.reader import Asked, MessageReader, asking

_NOBODY: Final = Asked(None, "", None, 0.0)


class WatchedSession(Session):
    """A session of which every call, and what came of it, is noted.

    Attributes:
        reader: reads its messages; set before any is sent or has arrived.
    """

    reader: MessageReader
    _asking_now = False  # whether a call is being made whose asking is noted

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for entry in (self._imports[0], self._exports[0]):
            entry.made = Made("", "", asking_place(2), self.host.now())

    def _who_asks(self, member: Method | Property | None, name: str) -> Asked:
        return Asked(member, name, asking_place(3), self.host.now())

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        token, outer = asking.set(self._who_asks(*called(path, args))), self._asking_now
        self._asking_now = True
        try:
            return super().send_call(import_id, path, args, expect)
        finally:
            asking.reset(token)
            self._asking_now = outer

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        made: Made | None = getattr(self._imports.get(import_id), "made", None)
        name = ".".join(filter(None, ("" if made is None else made.member, *map(str, path), "map")))
        token, outer = asking.set(self._who_asks(None, name)), self._asking_now
        self._asking_now = True
        try:
            return super().send_map(import_id, path, captures, instructions, expect)
        finally:
            asking.reset(token)
            self._asking_now = outer

    def intercepted(self, call: Any, args: Payload | None, *rest: Any) -> Hook:
        """See `calling.TermedSession.intercepted`. What is pipelined on a call that passes interceptors comes here by
        itself; the rest by `send_call` and `send_map`.
        """
        asked = asking.get() if self._asking_now else self._who_asks(called((), args)[0], call.name)
        outer, self._asking_now = self._asking_now, False  # not while interceptors run
        token = asking.set(asked)
        lead: Any = super()
        try:
            hook: Hook = lead.intercepted(call, args, *rest)
            return hook
        finally:
            asking.reset(token)
            self._asking_now = outer

    def _pushed(self, call_id: int, expect: Codec | None) -> ImportHook:
        hook = super()._pushed(call_id, expect)
        asked = asking.get() or self._who_asks(None, "")
        self.reader.note(call_id, asked)
        if hook.entry is not None:
            hook.entry.made = Made(asked.name or self.reader.imports.get(call_id).name, "", asked.place, asked.since)
        return hook

    def export_stub(self, hook: Hook) -> int:
        """See `Exporter.export_stub`."""
        export_id = super().export_stub(hook)
        asked = asking.get() or _NOBODY
        self._exports[export_id].made = Made(asked.name, "", asked.place, self.host.now())
        return export_id

    def _new_import(self, import_id: int) -> ImportHook:
        hook = super()._new_import(import_id)
        asked = asking.get() or _NOBODY
        if hook.entry is not None:
            hook.entry.made = Made(asked.name, self.reader.imports.get(import_id).name, asked.place, self.host.now())
        return hook

    # ---- messages in

    def _on_push(self, wire: list[Wire], target: ImportHook | None = None) -> None:
        call_id = self._next_call
        known = self.reader.exports.get(call_id)
        now = self.host.now()
        token = asking.set(Asked(None, known.name, None, now))
        try:
            super()._on_push(wire, target)
        finally:
            asking.reset(token)
        entry = self._exports.get(call_id)
        if entry is not None:
            entry.made = Made(known.name, "", known.place, now)

    def _on_resolve(self, wire: list[Wire]) -> None:
        entry = self._imports.get(wire[1]) if len(wire) > 1 and type(wire[1]) is int else None
        made: Made | None = getattr(entry, "made", None)
        token = asking.set(None if made is None else Asked(None, made.member, made.place, made.since))
        try:
            super()._on_resolve(wire)
        finally:
            asking.reset(token)

    def _answer(self, export_id: int, payload: Payload) -> None:
        made: Made | None = getattr(self._exports.get(export_id), "made", None)
        token = asking.set(None if made is None else Asked(None, made.member, made.place, made.since))
        try:
            super()._answer(export_id, payload)
        finally:
            asking.reset(token)


class SampledSession(Session):
    """A session of which one call in so many is noted, with the objects that came of it, and as many of the objects
    that are handed out.

    Attributes:
        every: how many there are for each that is noted.
    """

    every = 1000
    _calls_left = 1  # calls up to the next that is noted, that one included
    _exports_left = 1

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        left = self._calls_left - 1
        if left:
            self._calls_left = left
            return super().send_call(import_id, path, args, expect)
        self._calls_left = self.every
        made = Made(called(path, args)[1], "", asking_place(2), self.host.now())
        hook = super().send_call(import_id, path, args, expect)
        _note(hook, made)
        return hook

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        self._calls_left -= 1
        if self._calls_left:
            return super().send_map(import_id, path, captures, instructions, expect)
        self._calls_left = self.every
        made = Made(".".join(map(str, (*path, "map"))), "", asking_place(2), self.host.now())
        hook = super().send_map(import_id, path, captures, instructions, expect)
        _note(hook, made)
        return hook

    def export_stub(self, hook: Hook) -> int:
        """See `Exporter.export_stub`."""
        export_id = super().export_stub(hook)
        self._exports_left -= 1
        if not self._exports_left:
            self._exports_left = self.every
            self._exports[export_id].made = Made("", "", asking_place(2), self.host.now())
        return export_id


class NotedEntry(ImportEntry):
    """A call that is noted: so are the objects in its result."""

    __slots__ = ()

    def resolve(self, resolution: Hook) -> None:
        if isinstance(resolution, PayloadHook) and resolution._payload is not None:
            what = interface_of(self.expect)
            for hook in resolution._payload.hooks or ():
                if isinstance(hook, ImportHook) and hook.entry is not None and not hasattr(hook.entry, "made"):
                    _note(hook, self.made._replace(what=what))  # also of a promise in it, as results of map() are
        super().resolve(resolution)


def _note(hook: Hook, made: Made) -> None:
    """Notes a call, also one that its interceptors have not let go yet."""
    if isinstance(hook, PromiseHook):
        hook._cell.then(lambda sent: _note(sent, made), lambda _: None)
    elif isinstance(hook, ImportHook) and type(hook.entry) is ImportEntry:
        hook.entry.made = made
        hook.entry.__class__ = NotedEntry  # of the same slots, and of few entries


def called(path: Path, args: Payload | None) -> tuple[Method | Property | None, str]:
    """The member that is called or read, and what it is called.

    Parameters:
        path: to it.
        args: of the call; None if it is read.
    """
    if isinstance(path, PropertyPath):
        return (path._member if not path._inside else None), path.label
    method = args.codec.method if args is not None and isinstance(args.codec, Arguments) else None
    return method, ".".join(map(str, path)) if method is None or not path else method.label


def watched(plain: type[Session]) -> type[WatchedSession]:
    """The class of sessions that are like those of the given one, and watched."""
    return type("_Watched", (WatchedSession, plain), {})


def sampled(plain: type[Session], every: int) -> type[Session]:
    """The class of sessions that are like those of the given one, of which one call in so many is noted.

    Parameters:
        plain: the class.
        every: how many calls there are for each that is noted.
    """
    return type("_Sampled", (SampledSession, plain), {"every": every})
