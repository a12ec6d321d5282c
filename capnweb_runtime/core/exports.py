"""What a session holds for its peer: the export table, and what a message that is being encoded adds to it. Rule: an
export that has not been sent can be taken back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import attrgetter
from typing import Final
from weakref import ref

from capnweb_runtime.core.disclosure import is_referred, may_leave, stand_in
from capnweb_runtime.core.held import EXPORT, HeldBytes
from capnweb_runtime.core.hook import Hook, Host, OutgoingStream, Payload
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.stream_hooks import PipeHook
from capnweb_runtime.core.tables import ExportEntry
from capnweb_runtime.core.value_hooks import PromiseHook
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.observe import Observer, error_for_peer

_HOOK: Final = attrgetter("hook")


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
    """The export table of a session, and its part of the exporter; the session sets what is declared here."""

    host: Host
    _observer: Observer
    held: HeldBytes
    _exports: dict[int, ExportEntry]
    _next_export: int
    # By the messages that are being encoded, the innermost last: for taking back. Pipes are positive.
    _exported: list[int]
    _promised: set[int]  # those of them whose resolution follows the message
    _piped: dict[int, tuple[OutgoingStream, Hook]]  # streams that begin once their message is sent

    @abstractmethod
    def _answer(self, export_id: int, payload: Payload) -> None:
        """Sends the result that the peer has asked for."""

    @abstractmethod
    def _answer_error(self, export_id: int, error: BaseException) -> None:
        """Sends why there is none."""

    def export_main(self, hook: Hook) -> None:
        """Offers the hook, which the table owns from here on, as our main object in place of the one before."""
        before, self._exports[0] = self._exports[0], ExportEntry(hook)
        before.hook.dispose()

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


def in_order_of_disposal(exports: dict[int, ExportEntry]) -> Iterator[ExportEntry]:
    """The entries of a table that is given up: what waits for others before those, as it then takes itself back, and
    all else as it came.
    """
    entries = list(exports.values())
    if PromiseHook in map(type, map(_HOOK, entries)):
        waiting = [entry for entry in entries if type(entry.hook) is PromiseHook]
        entries = [*reversed(waiting), *(entry for entry in entries if type(entry.hook) is not PromiseHook)]
    return iter(entries)
