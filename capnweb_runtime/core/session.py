"""One session of the protocol. Rule: a message goes in, messages come out; bad input ends this session at worst,
with a reason the peer is told.

`receive` takes a message and updates the tables, `take_outbox` hands over what is to be written. Whoever drives a
session (see `connection`) writes once per turn of its loop. There are no tasks, queues or timers per call in here.
Source: protocol, "Top-level RPC Messages".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.devaluate import encode_error
from capnweb_runtime.core.evaluate import Evaluator, NotDirect, call_own, decode_direct, parse_path
from capnweb_runtime.core.evaluate_leaves import unknown
from capnweb_runtime.core.hook import (
    Codec,
    ErrorHook,
    Hook,
    Host,
    OutgoingStream,
    Path,
    Payload,
    PromiseRef,
    Wire,
    dispose_all,
)
from capnweb_runtime.core.local import PayloadHook
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import encode_arguments, encode_payload
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.stream_hooks import PipeHook
from capnweb_runtime.core.tables import ExportEntry, ImportEntry, ImportHook, MainHook, Watch
from capnweb_runtime.core.text import dumps, loads
from capnweb_runtime.errors import LimitExceeded, ProtocolError, RpcError, SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.observe import Observer

_NO_MAIN: Final = "This connection has no main object."
_PROMISE_REUSED: Final = "Bug in RPC system: The peer sent a promise reusing an existing export ID."


@dataclass(frozen=True, slots=True)
class SessionStats:
    """What a session holds and has done.

    Attributes:
        imports: entries on the import table, the peer's main included.
        exports: entries on the export table, our main included.
        calls: results that the peer has asked for and not been sent.
        messages_sent: messages put into the outbox.
        messages_received: messages taken.
        round_trips: how often this side has had to wait for the peer: answers that came after a question, those to one
            batch counting once.
    """

    imports: int
    exports: int
    calls: int
    messages_sent: int
    messages_received: int
    round_trips: int


class Session:
    """One end of a session.

    Parameters:
        main: what the peer sees as our main object, owned by the session; None if there is none.
        host: runs the application's code.
        wake: called when the outbox stops being empty.
        on_closed: called once, with the reason, when the session ends; the outbox may hold a last message.
        limits: bounds.
        observer: is told of failures.

    Attributes:
        remote_main: the peer's main object; disposing it ends the session without an abort message.
        closed: whether the session has ended.
        reason: why it has ended.
        outbox_bytes: size of what waits in the outbox.
    """

    def __init__(
        self,
        main: Hook | None,
        *,
        host: Host,
        wake: Callable[[], None],
        on_closed: Callable[[BaseException], None],
        limits: Limits = DEFAULT_LIMITS,
        observer: Observer | None = None,
    ) -> None:
        self.host = host
        self.limits = limits
        self.closed = False
        self.reason: BaseException | None = None
        self.outbox_bytes = 0
        self._wake = wake
        self._on_closed = on_closed
        self._observer = observer or Observer()
        self._outbox: list[bytes] = []
        self._exports: dict[int, ExportEntry] = {0: ExportEntry(main or ErrorHook(RpcError(_NO_MAIN)))}
        self._imports: dict[int, ImportEntry] = {0: ImportEntry(self, 0)}
        self._next_push = 1  # next id of a call that we send
        self._next_call = 1  # next id of a call that the peer sends
        self._next_export = -1
        self._exported: list[int] = []  # by the message that is being encoded, for taking back
        self._promised: list[int] = []  # those of them whose resolution follows the message
        self.depth = 0  # of the values in the message that is being encoded
        self.local = False
        self.message_bytes = 0  # of the message that is being received
        self._watches: list[Watch] = []
        self._drained: list[Cell[None]] = []
        self._calls = 0
        self._sent = self._received = self._round_trips = 0
        self._asked = False  # a question has gone out since the last answer came in
        self.remote_main: Hook = MainHook(self._imports[0], self._shut_down)
        self._handlers: dict[str, Callable[[list[Wire]], None]] = {
            "push": self._on_push,
            "pull": self._on_pull,
            "resolve": self._on_resolve,
            "reject": self._on_reject,
            "release": self._on_release,
            "stream": self._on_stream,
            "pipe": self._on_pipe,
            "abort": self._on_abort,
        }

    # ---- for the connection

    def receive(self, message: str | bytes) -> None:
        """Takes one message. Never raises: what is wrong with it aborts the session.

        Parameters:
            message: JSON text.
        """
        if self.closed:
            return
        self._received += 1
        try:
            self._handle(message)
        except Exception as error:  # whatever a message causes that is not caught below concerns this session only
            self.abort(error)

    def take_outbox(self) -> list[bytes]:
        """The messages to write, in order, each the UTF-8 JSON text of one frame or line; the outbox is empty
        afterwards.
        """
        self.host.collect()
        messages, self._outbox = self._outbox, []
        self.outbox_bytes = 0
        return messages

    def abort(self, error: BaseException, *, notify: bool = True) -> None:
        """Ends the session: everything in progress fails with the error, and everything that the peer held is disposed.

        Parameters:
            error: the reason.
            notify: whether to send it to the peer.
        """
        if self.closed:
            return
        if notify:
            self._send_encoded("abort", None, lambda: encode_error(error, self, 0))
        self.closed = True
        self.reason = error
        for watch in self._watches:
            if watch.callback is not None:
                self._guarded(watch.callback, error)
        for imported in list(self._imports.values()):
            imported.fail(error)
        exports, self._exports = self._exports, {}
        for exported in exports.values():
            if isinstance(exported.hook, PipeHook):
                exported.hook.pipe.fail(error)
            exported.hook.dispose()
        self._imports = {}
        drained, self._drained = self._drained, []
        for cell in drained:
            cell.reject(error)
        self._observer.session_ended(error)
        self._on_closed(error)

    def drain(self) -> Cell[None]:
        """A cell that settles once every result that the peer has asked for has been sent; with the reason if the
        session ends before.
        """
        cell: Cell[None] = Cell()
        if self.closed:
            cell.reject(self._ended())
        elif self._calls == 0:
            cell.resolve(None)
        else:
            self._drained.append(cell)
        return cell

    def stats(self) -> SessionStats:
        """What the session holds and has done."""
        return SessionStats(
            len(self._imports), len(self._exports), self._calls, self._sent, self._received, self._round_trips
        )

    # ---- messages in

    def _handle(self, message: str | bytes) -> None:
        self.message_bytes = len(message)
        if len(message) > self.limits.message_size:
            raise ProtocolError(
                f"Incoming message exceeds maximum size of {self.limits.message_size} bytes.", "TypeError"
            )
        wire = loads(message)
        handler = self._handlers.get(wire[0]) if type(wire) is list and wire and type(wire[0]) is str else None
        if handler is None:
            raise _bad_message(wire)
        handler(wire)

    def _on_push(self, wire: list[Wire]) -> None:
        if len(wire) < 2:
            raise _bad_message(wire)
        if len(self._exports) >= self.limits.exports:
            raise self._too_many_exports()
        hook = self._evaluate_push(wire[1])
        if self.closed:  # by what the call did
            hook.dispose()
            return
        self._exports[self._next_call] = ExportEntry(hook)
        self._next_call += 1

    def _evaluate_push(self, expression: Wire) -> Hook:
        """The hook of what a push asks for: for a call, which is nearly all of them, the hook of its result."""
        if (
            type(expression) is list
            and len(expression) == 4
            and expression[0] == "pipeline"
            and type(expression[1]) is int
        ):
            hook = self.own_export(expression[1])
            return call_own(Evaluator(self, 0), hook, parse_path(expression, expression[2]), expression, 0)
        return PayloadHook(Evaluator(self).payload(expression), self.host)

    def _on_stream(self, wire: list[Wire]) -> None:
        """Like a push and a pull in one, released once it has been answered."""
        export_id = self._next_call
        self._on_push(wire)
        entry = self._exports.get(export_id)
        if entry is not None:
            entry.auto_release = True
            self._resolve_export(export_id, entry)

    def _on_pipe(self, wire: list[Wire]) -> None:
        if len(self._exports) >= self.limits.exports:
            raise self._too_many_exports()
        entry = ExportEntry(PipeHook(Pipe(self.limits.stream_bytes), self.host))
        self._exports[self._next_call] = entry
        self._next_call += 1

    def _too_many_exports(self) -> LimitExceeded:
        return LimitExceeded(
            f"the peer holds {len(self._exports)} capabilities and calls, the most that this side allows"
        )

    def _on_pull(self, wire: list[Wire]) -> None:
        export_id = _integer(wire, 1)
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such export ID: {export_id}")
        self._resolve_export(export_id, entry)

    def _on_resolve(self, wire: list[Wire]) -> None:
        import_id = _integer(wire, 1)
        if len(wire) < 3:
            raise _bad_message(wire)
        self._answered()
        entry = self._imports.get(import_id)
        if entry is None:  # released already; capabilities in the result are released too
            Evaluator(self).payload(wire[2]).dispose()
            return
        entry.resolve(PayloadHook(self._evaluate_result(wire[2], entry.expect), self.host))
        self._imports.pop(import_id, None)

    def _evaluate_result(self, wire: Wire, expect: Codec | None) -> Payload:
        if expect is not None:
            try:
                value, hooks = decode_direct(expect, wire, self, 0)
                return Payload(value, expect, hooks or None)
            except (Mismatch, NotDirect):
                pass  # a promise in it, or the wrong type: known once promises are resolved, and the waiter's error
        return Evaluator(self).payload(wire)

    def _on_reject(self, wire: list[Wire]) -> None:
        import_id = _integer(wire, 1)
        if len(wire) < 3:
            raise _bad_message(wire)
        self._answered()
        payload = Evaluator(self).payload(wire[2])
        payload.dispose()
        entry = self._imports.get(import_id)
        if entry is not None:
            entry.resolve(ErrorHook(as_exception(payload.value)))
            self._imports.pop(import_id, None)

    def _on_release(self, wire: list[Wire]) -> None:
        export_id, count = _integer(wire, 1), _integer(wire, 2)
        if count < 0:
            raise ProtocolError(f"release of a negative number of references: {count}")
        self._release_export(export_id, count)

    def _on_abort(self, wire: list[Wire]) -> None:
        reason: Any = None
        if len(wire) > 1:
            payload = Evaluator(self).payload(wire[1])
            payload.dispose()
            reason = payload.value
        error = as_exception(reason)
        closed = SessionClosed(f"the peer aborted the session: {error}")
        closed.__cause__ = error
        self.abort(closed, notify=False)

    def _answered(self) -> None:
        if self._asked:
            self._asked = False
            self._round_trips += 1

    # ---- results out

    def _resolve_export(self, export_id: int, entry: ExportEntry) -> None:
        """Sends the resolution of an export once it is known; a second request is ignored."""
        if not entry.pulled:
            if self._calls >= self.limits.calls:
                raise LimitExceeded(f"{self._calls} calls are in progress, the most that this side allows")
            entry.pulled = True
            self._calls += 1
            self._answer_with(export_id, entry.hook)

    def _answer_with(self, export_id: int, hook: Hook) -> None:
        try:
            pulled = hook.pull()
        except Exception as error:  # a hook that was disposed meanwhile
            self._answer_error(export_id, error)
            return
        if isinstance(pulled, Payload):
            self._answer(export_id, pulled)
        else:
            pulled.then(
                lambda payload: self._answer(export_id, payload), lambda error: self._answer_error(export_id, error)
            )

    def _answer(self, export_id: int, payload: Payload) -> None:
        root = payload.value
        if isinstance(root, PromiseRef) and self.import_id(root._hook) is None:
            # A result that is itself a promise is waited for, instead of sending a promise of a promise.
            hook = root._hook if not root._path else root._hook.get(root._path)
            self._answer_with(export_id, hook)
            return
        if export_id in self._exports:
            self._send_answer(export_id, payload)
        self._call_done(export_id)

    def _send_answer(self, export_id: int, payload: Payload) -> None:
        try:
            self._send_encoded("resolve", export_id, lambda: encode_payload(payload, self))
        except Exception as error:  # the application's value has no wire form: that call is rejected
            shown = error.error(payload.label) if isinstance(error, Mismatch) else error
            self.host.report(payload.label, shown)
            self._send_rejection(export_id, shown)

    def _send_rejection(self, export_id: int, error: BaseException) -> None:
        self._send_encoded("reject", export_id, lambda: encode_error(error, self, 0))

    def _answer_error(self, export_id: int, error: BaseException) -> None:
        if export_id in self._exports:
            self._send_rejection(export_id, error)
        self._call_done(export_id)

    def _call_done(self, export_id: int) -> None:
        self._calls -= 1
        entry = self._exports.get(export_id)
        if entry is not None and entry.auto_release:
            self._release_export(export_id, 1)
        if self._calls == 0 and self._drained:
            drained, self._drained = self._drained, []
            for cell in drained:
                cell.resolve(None)

    def _release_export(self, export_id: int, count: int) -> None:
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such export ID: {export_id}")
        if entry.refcount < count:
            raise ProtocolError(f"refcount would go negative: {entry.refcount} < {count}")
        entry.refcount -= count
        if entry.refcount == 0:
            del self._exports[export_id]
            entry.hook.dispose()

    # ---- messages out (Sender)

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        """See `Sender.send_call`. A call that cannot be encoded raises; one on an ended session, or past a limit,
        fails.
        """
        refused = self._refusal()
        if refused is not None:
            if args is not None:
                args.dispose()
            return ErrorHook(refused)
        if args is None:
            self._send(["push", ["pipeline", import_id, path]])
            return self._pushed(expect)
        self._send_arguments("push", import_id, path, args)
        return self._pushed(expect)

    def _send_arguments(self, kind: str, import_id: int, path: Path, args: Payload) -> None:
        self.depth = 1
        try:
            self._send_encoded(kind, None, lambda: ["pipeline", import_id, path, encode_arguments(args, self)])
        finally:
            self.depth = 0
            args.dispose()

    def send_stream(self, import_id: int, path: Path, args: Payload) -> tuple[Cell[Payload], int | None]:
        """See `Sender.send_stream`."""
        done: Cell[Payload] = Cell()
        refused = self._refusal()
        if refused is not None:
            args.dispose()
            done.reject(refused)
            return done, None
        before = self.outbox_bytes
        self._send_arguments("stream", import_id, path, args)
        size = self.outbox_bytes - before
        entry = self._imports[self._next_push] = ImportEntry(self, self._next_push)
        self._next_push += 1
        entry.local_refs = 1
        entry.remote_refs = 0  # the peer releases it by itself
        entry.waiting = done
        return done, size

    def create_pipe(self, source: OutgoingStream) -> int:
        """See `Exporter.create_pipe`."""
        self._send(["pipe"])
        pipe_id = self._next_push
        self.host.pump(source, self._pushed(None))
        return pipe_id

    def take_readable(self, export_id: int) -> Pipe:
        """See `Importer.take_readable`."""
        entry = self._exports.get(export_id)
        if entry is None or not isinstance(entry.hook, PipeHook) or entry.readable_taken:
            raise ProtocolError(f"Export {export_id} is not a pipe or its readable end was already consumed.")
        entry.readable_taken = True
        return entry.hook.pipe

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        """See `Sender.send_map`."""
        refused = self._refusal()
        if refused is not None:
            dispose_all(captures)
            return ErrorHook(refused)
        self._send_encoded(
            "push", None, lambda: ["remap", import_id, path, [self._capture(hook) for hook in captures], instructions]
        )
        return self._pushed(expect)

    def _capture(self, hook: Hook) -> Wire:
        """The expression of a capture, which is given up if the peer knows it already and is owned by the export
        table otherwise.
        """
        known = self.import_id(hook)
        if known is None:
            return ["export", self.export_stub(hook)]
        hook.dispose()
        return ["import", known]

    def send_pull(self, import_id: int) -> None:
        """See `Sender.send_pull`."""
        self._asked = True
        self._send(["pull", import_id])

    def send_release(self, import_id: int, count: int) -> None:
        """See `Sender.send_release`."""
        self._imports.pop(import_id, None)
        self._send(["release", import_id, count])

    def watch(self, callback: Callable[[BaseException], object]) -> Watch:
        """See `Sender.watch`."""
        watch = Watch(callback)
        if len(self._watches) >= 2 * (1 + len(self._imports)):
            self._watches = [kept for kept in self._watches if kept.callback is not None]
        self._watches.append(watch)
        return watch

    def _refusal(self) -> BaseException | None:
        if self.closed:
            return self._ended()
        if len(self._imports) >= self.limits.imports:
            return LimitExceeded(
                f"{len(self._imports)} capabilities and calls are held of the peer, the most that Limits.imports allows"
            )
        return None

    def _pushed(self, expect: Codec | None) -> ImportHook:
        entry = ImportEntry(self, self._next_push, expect)
        self._imports[self._next_push] = entry
        self._next_push += 1
        return ImportHook(entry)

    def _send_encoded(self, kind: str, export_id: int | None, encode: Callable[[], Wire]) -> None:
        """Sends a message with values in it. What they export is taken back if they cannot be encoded; promises
        among them are resolved afterwards.

        Encoding may run code of the application, a property's getter say, that sends messages of its own: hence the
        saving and restoring.
        """
        outer = self._exported, self._promised
        exported: list[int] = []
        promised: list[int] = []
        self._exported, self._promised = exported, promised
        try:
            wire = encode()
            self._send([kind, wire] if export_id is None else [kind, export_id, wire])
        except BaseException:
            for taken_back in exported:
                self._release_export(taken_back, 1)
            raise
        finally:
            self._exported, self._promised = outer
        for promise_id in promised:
            entry = self._exports.get(promise_id)
            if entry is not None:
                self._resolve_export(promise_id, entry)

    def _send(self, message: list[Wire]) -> None:
        if self.closed:
            return
        text = dumps(message)
        self.outbox_bytes += len(text)
        self._outbox.append(text)
        self._sent += 1
        if len(self._outbox) == 1:
            self._wake()
        if self.outbox_bytes > self.limits.outbox_bytes:
            self.closed_by_limit()

    def closed_by_limit(self) -> None:
        """Ends the session because the peer does not read what it asked for; what waits is dropped."""
        self._outbox = []
        self.outbox_bytes = 0
        self.abort(
            LimitExceeded(f"more than {self.limits.outbox_bytes} bytes wait for a peer that does not read"),
            notify=False,
        )

    # ---- capabilities out and in (Exporter, Importer)

    def export_stub(self, hook: Hook) -> int:
        """See `Exporter.export_stub`."""
        export_id = self._next_export
        self._next_export -= 1
        self._exports[export_id] = ExportEntry(hook)
        self._exported.append(export_id)
        return export_id

    def export_promise(self, hook: Hook) -> int:
        """See `Exporter.export_promise`."""
        export_id = self.export_stub(hook)
        self._promised.append(export_id)
        return export_id

    def import_id(self, hook: Hook) -> int | None:
        """See `Exporter.import_id`."""
        if isinstance(hook, ImportHook):
            entry = hook.entry
            if entry is not None and entry.sender is self and entry.resolution is None:
                return entry.import_id
        return None

    def error_to_send(self, error: BaseException) -> BaseException:
        """See `Exporter.error_to_send`."""
        return self._observer.sending_error(error)

    def import_stub(self, import_id: int) -> Hook:
        """See `Importer.import_stub`."""
        entry = self._imports.get(import_id)
        if entry is not None:
            entry.remote_refs += 1
            return ImportHook(entry)
        return self._new_import(import_id)

    def import_promise(self, import_id: int) -> Hook:
        """See `Importer.import_promise`. An id that is in use gives a promise that is rejected."""
        if import_id in self._imports:
            return ErrorHook(RpcError(_PROMISE_REUSED))
        hook = self._new_import(import_id)
        hook.opened().waiting = Cell()  # the peer sends the resolution by itself
        return hook

    def _new_import(self, import_id: int) -> ImportHook:
        if import_id >= 0:
            raise ProtocolError(f"an export's id is negative, not {import_id}")
        if len(self._imports) >= self.limits.imports:
            raise LimitExceeded(
                f"{len(self._imports)} capabilities and calls are held of the peer, the most that Limits.imports allows"
            )
        entry = self._imports[import_id] = ImportEntry(self, import_id)
        return ImportHook(entry)

    def forget(self, hook: Hook) -> None:
        """See `Importer.forget`."""
        if not isinstance(hook, ImportHook) or hook.entry is None or hook.entry.sender is not self:
            hook.dispose()  # one of our own exports that came home
            return
        entry, hook.entry = hook.entry, None
        entry.local_refs -= 1
        entry.remote_refs -= 1
        if entry.remote_refs == 0:
            del self._imports[entry.import_id]

    def own_export(self, export_id: int) -> Hook:
        """See `Importer.own_export`."""
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such entry on exports table: {export_id}")
        return entry.hook

    # ---- the end

    def _shut_down(self) -> None:
        self.abort(SessionClosed("RPC session was shut down by disposing the main stub"), notify=False)

    def _ended(self) -> BaseException:
        return self.reason or SessionClosed("the session has ended")

    def _guarded(self, callback: Callable[[BaseException], object], error: BaseException) -> None:
        try:
            callback(error)
        except Exception as failure:  # a callback's failure concerns the application, not the other callbacks
            self.host.report("on_broken", failure)


def as_exception(value: Any) -> BaseException:
    """What a peer rejected with, as something to raise: an error as it is, any other value inside an RpcError."""
    if isinstance(value, BaseException):
        return value
    return RpcError(f"the peer rejected with a value that is no error: {value!r:.80}", None, value=value)


def _integer(wire: list[Wire], index: int) -> int:
    """The whole number at an index of a message."""
    if index < len(wire):
        number = wire[index]
        if type(number) is int:
            return number
        if type(number) is float and number.is_integer():
            return int(number)
    raise _bad_message(wire)


def _bad_message(wire: Wire) -> ProtocolError:
    return ProtocolError(f"bad RPC message: {unknown(wire).shown}")
