"""What a session holds for its peer: the export table, what a message that is being encoded adds to it, and the results
on it that the peer asks for. Rule: an export that has not been sent can be taken back, and a result is sent once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import Final, TypeVar
from weakref import ref

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.asked import AskedPull
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.devaluate import encode_error
from capnweb_runtime.core.disclosure import is_referred, may_leave, stand_in
from capnweb_runtime.core.held import EXPORT, SENT, SENT_SHORT, SHORT, HeldBytes
from capnweb_runtime.core.hook import Exporter, Hook, Host, OutgoingStream, Payload, PromiseRef, Wire
from capnweb_runtime.core.introductions import Introductions
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import encode_payload
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.core.stream_hooks import PipeHook
from capnweb_runtime.core.tables import ExportEntry
from capnweb_runtime.core.target_hooks import LocalHook
from capnweb_runtime.core.value_hooks import PromiseHook
from capnweb_runtime.errors import ENDS_PROGRAM, ProtocolError, as_answer
from capnweb_runtime.observe import Observer, error_for_peer

_HOOK: Final = attrgetter("hook")
_LEAVES: Final = frozenset((int, str, float, bool, type(None)))
"""Types of values that export nothing, so that there is nothing to take back or to follow up."""

V = TypeVar("V")


class Answer:
    """What waits for a result that the peer has asked for. It does not keep a session that has ended."""

    __slots__ = ("_export_id", "_session")

    def __init__(self, session: ref[Exports], export_id: int) -> None:
        self._session = session
        self._export_id = export_id

    def on_value(self, payload: Payload) -> None:
        """The result is known."""
        session = self._session()
        if session is not None:
            session._answer(self._export_id, payload)

    def on_error(self, error: BaseException) -> None:
        """There is none."""
        session = self._session()
        if session is not None:
            session._answer_error(self._export_id, error)


class Exports(ABC):
    """The export table of a session, its part of the exporter, and its answers; the session sets what is declared."""

    host: Host
    account: Account
    held: HeldBytes
    depth: int
    local: bool
    raw_bytes: bool
    waits: bool
    outbox_bytes: int
    _taken_bytes: int  # that have left the outbox
    _room: int  # bytes in the outbox from which on nothing more is begun
    _held_back: deque[Callable[[], None]]  # what sends the answers for which the outbox has no room
    _calls: int  # results that the peer has asked for and not been sent
    _drained: list[Cell[None]]  # those who wait until there are none
    _no_pipes: BaseException | None
    _itself: ref[Exports]
    _observer: Observer
    _exports: dict[int, ExportEntry]
    _next_export: int
    # By the messages that are being encoded, the innermost last: for taking back. Pipes are positive.
    _exported: list[int]
    _promised: set[int]  # those of them whose resolution follows the message
    _piped: dict[int, tuple[OutgoingStream, Hook]]  # streams that begin once their message is sent
    introductions: Introductions | None = None

    @abstractmethod
    def import_id(self, hook: Hook) -> int | None:
        """See `Exporter.import_id`."""

    @abstractmethod
    def create_pipe(self, source: Readable) -> int:
        """See `Exporter.create_pipe`."""

    @abstractmethod
    def _send(self, message: list[Wire]) -> None:
        """Puts a message into the outbox."""

    @abstractmethod
    def _send_encoded(
        self,
        message: list[Wire],
        last: list[Wire],
        encode: Callable[[V, Exporter], Wire],
        value: V,
        depth: int = 0,
        is_call: bool = False,
    ) -> int:
        """Sends a message with values in it."""

    def export_main(self, hook: Hook) -> None:
        """Offers the hook, which the table owns from here on, as our main object in place of the one before."""
        before, self._exports[0] = self._exports[0], ExportEntry(hook)
        before.hook.dispose()

    @property
    def main_hook(self) -> Hook:
        """The hook of our main object, owned by the table."""
        return self._exports[0].hook

    def export_stub(self, hook: Hook) -> int:
        """See `Exporter.export_stub`."""
        self.held.bytes += EXPORT  # of which a call has to do with, and is looked at then
        export_id = self._next_export
        self._next_export -= 1
        self._exports[export_id] = ExportEntry(hook)
        self._exported.append(export_id)
        return export_id

    def export_promise(self, hook: Hook) -> int:
        """See `Exporter.export_promise`."""
        export_id = self.export_stub(hook)
        self._promised.add(export_id)
        return export_id

    def own_export(self, export_id: int) -> Hook:
        """See `Importer.own_export`."""
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such entry on exports table: {export_id}")
        return entry.hook

    def take_readable(self, export_id: int) -> Pipe:
        """See `Importer.take_readable`."""
        entry = self._exports.get(export_id)
        if entry is None or not isinstance(entry.hook, PipeHook) or entry.readable_taken:
            raise ProtocolError(f"Export {export_id} is not a pipe or its readable end was already consumed.")
        entry.readable_taken = True
        return entry.hook.pipe

    def mark(self) -> int:
        """See `Exporter.mark`."""
        return len(self._exported)

    def take_back(self, mark: int) -> None:
        """See `Exporter.take_back`."""
        taken_back = self._exported[mark:]
        del self._exported[mark:]
        for export_id in taken_back:
            if export_id > 0:
                self._piped.pop(export_id)[1].dispose()
            else:
                self._promised.discard(export_id)
                self._release_export(export_id, 1)

    def _release_export(self, export_id: int, count: int) -> None:
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such export ID: {export_id}")
        left = entry.refcount - count
        if left < 0:
            raise ProtocolError(f"refcount would go negative: {entry.refcount} < {count}")
        entry.refcount = left
        if left == 0:
            del self._exports[export_id]
            self.held.bytes -= EXPORT
            entry.hook.dispose()

    def error_to_send(self, error: BaseException) -> BaseException:
        """See `Exporter.error_to_send`. What the observer has put in the place of an error is sent as it is."""
        sent = error_for_peer(self._observer, error)
        if sent is not error or may_leave(error, self.host.disclosure):
            return sent
        if not is_referred(error):  # it was nobody's failure here, and so is not in the log: a value, or another peer's
            self.host.report("an error that is sent", error)
        return stand_in(error)

    def discloses(self, error: BaseException) -> bool:
        """See `Exporter.discloses`."""
        return may_leave(error, self.host.disclosure)

    # ---- answers

    def _resolve_export(self, export_id: int, entry: ExportEntry) -> None:
        """Sends the resolution of an export once it is known; a second request is ignored."""
        if not entry.pulled:
            entry.pulled = True
            self._calls += 1
            self._answer_with(export_id, entry.hook)

    def _answer_with(self, export_id: int, hook: Hook) -> None:
        if export_id < 0 and isinstance(hook, LocalHook):  # an object or a function, which is the table's own
            self._answer(export_id, Payload(PlainStub(hook)))
            return
        try:
            pulled = hook.pull()
        except Exception as error:  # a hook that was disposed meanwhile
            self._answer_error(export_id, error)
            return
        if isinstance(pulled, Payload):
            self._answer(export_id, pulled)
            return
        if type(pulled) is AskedPull and (entry := self._exports.get(export_id)) is not None:
            entry.pulled = pulled
        pulled.wait(Answer(self._itself, export_id))

    def _answer(self, export_id: int, payload: Payload) -> None:
        root = payload.value
        if isinstance(root, PromiseRef) and self.import_id(root._hook) is None:
            # A result that is itself a promise is waited for, instead of sending a promise of a promise.
            hook = root._hook if not root._path else root._hook.get(root._path)
            self._answer_with(export_id, hook)
            return
        if self.outbox_bytes >= self._room:
            # The result is held by the export table anyway, until the peer releases it.
            self._hold_back(partial(self._answer, export_id, payload))
            return
        if export_id in self._exports:
            if payload.shared and self.account.is_over():  # it may be far more than it looks
                self.host.put_off(lambda: self._answer(export_id, payload))
                return
            message: list[Wire] = ["resolve", export_id]
            codec = payload.codec
            try:
                if codec is None:
                    self._send_encoded(message, message, encode_payload, payload)
                elif type(root) in _LEAVES:
                    message.append(codec.encode(root, self))
                    self._send(message)
                else:
                    before = self._taken_bytes + self.outbox_bytes
                    self._send_encoded(message, message, codec.encode, root)
                    if payload.counted is None:
                        size = self._taken_bytes + self.outbox_bytes - before
                        payload.counted = SENT_SHORT if size < SHORT else SENT
            except ENDS_PROGRAM:
                raise
            except BaseException as error:  # the application's value has no wire form: that call is rejected
                shown = error.error(f"result of {payload.origin}") if isinstance(error, Mismatch) else as_answer(error)
                if shown is not self._no_pipes:
                    self.host.report(payload.origin, shown)
                self._send_rejection(export_id, shown)
        self._call_done(export_id)

    def _send_rejection(self, export_id: int, error: BaseException) -> None:
        message: list[Wire] = ["reject", export_id]
        self._send_encoded(message, message, encode_error, error)

    def _answer_error(self, export_id: int, error: BaseException) -> None:
        if isinstance(error, MemoryError):
            self.held.end_out_of_memory("an answer was made")
        if self.outbox_bytes >= self._room:
            self._hold_back(partial(self._answer_error, export_id, error))
            return
        if export_id in self._exports:
            self._send_rejection(export_id, error)
        self._call_done(export_id)

    def _call_done(self, export_id: int) -> None:
        self._calls -= 1
        entry = self._exports.get(export_id)
        if entry is not None and entry.auto_release:
            self._release_export(export_id, 1)
        if self._drained and self._calls == 0:
            drained, self._drained = self._drained, []
            for cell in drained:
                cell.resolve(None)

    def _hold_back(self, answer: Callable[[], None]) -> None:
        self.waits = True
        self._held_back.append(answer)


def in_order_of_disposal(exports: dict[int, ExportEntry]) -> Iterator[ExportEntry]:
    """The entries of a table that is given up: what waits for others before those, as it then takes itself back, and
    all else as it came.
    """
    entries = list(exports.values())
    if PromiseHook in map(type, map(_HOOK, entries)):
        waiting = [entry for entry in entries if type(entry.hook) is PromiseHook]
        entries = [*reversed(waiting), *(entry for entry in entries if type(entry.hook) is not PromiseHook)]
    return iter(entries)
