"""One session of the protocol. Rule: a message goes in, messages come out; bad input ends this session at worst,
with a reason the peer is told.

`receive` takes a message and updates the tables, `take_outbox` hands over what is to be written. Whoever drives a
session (see `connection`) writes once per turn of its loop. There are no tasks, queues or timers per call in here.
Source: protocol, "Top-level RPC Messages".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from capnweb_runtime.core.account import BYTES_PER_UNIT, LARGE
from capnweb_runtime.core.attachments import NO_ATTACHMENTS, Attachments
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.devaluate import encode_error
from capnweb_runtime.core.evaluate import CallArguments, Evaluator, NotDirect, call_own, decode_direct, parse_path
from capnweb_runtime.core.evaluate_leaves import unknown
from capnweb_runtime.core.exchange import BYTES_PER_NODE, Encoding, Exchange
from capnweb_runtime.core.hook import Codec, Hook, Host, Payload, Wire
from capnweb_runtime.core.mismatch import Mismatch, describe_value
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.stream_hooks import PipeHook, forward_stream
from capnweb_runtime.core.tables import ExportEntry, ImportHook
from capnweb_runtime.core.text import estimated_size, fast_loads, loads
from capnweb_runtime.core.value_hooks import PayloadHook
from capnweb_runtime.core.weight import slow_work
from capnweb_runtime.errors import PEER, LimitExceeded, ProtocolError, RpcError, SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.observe import Observer, tell_ended

WORK_PER_EXPORT: Final = 2
"""Units of work that giving up an export takes, about."""


class SessionStats(NamedTuple):
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


class Session(Exchange):
    """One end of a session.

    Parameters:
        main: what the peer sees as our main object, owned by the session; None if there is none.
        host: runs the application's code.
        wake: called when the outbox stops being empty.
        on_burst: called when so much is in the outbox that it had better be written at once.
        on_closed: called once, with the reason, when the session ends; the outbox may hold a last message.
        limits: bounds.
        observer: is told of failures.
        encoding: what the transport carries.

    Attributes:
        remote_main: the peer's main object; disposing it ends the session without an abort message.
        closed: whether the session has ended.
        reason: why it has ended.
        outbox_bytes: size of what waits in the outbox.
        releases: how many of the messages in there are releases.
        waits: whether `go_on` is to be called once what has been taken from the outbox is written.
    """

    def __init__(
        self,
        main: Hook | None,
        *,
        host: Host,
        wake: Callable[[], None],
        on_closed: Callable[[BaseException], None],
        on_burst: Callable[[], None] = lambda: None,
        limits: Limits = DEFAULT_LIMITS,
        observer: Observer | None = None,
        encoding: Encoding = "string",
    ) -> None:
        super().__init__(main, host, wake, on_burst, limits, observer or Observer(), encoding)
        self._large = min(LARGE, limits.message_size + 1)
        self._on_closed = on_closed
        self._next_call = 1  # next id of a call that the peer sends
        self._round_trips = 0
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

    def receive(self, message: Any) -> None:
        """Takes one message, whoever else waits; see `receive_all`."""
        self.receive_all((message,), False)

    def receive_all(self, messages: Sequence[Any], in_turns: bool = True) -> Sequence[Any] | None:
        """Takes messages that arrived together, in order. Never raises: what is wrong with one aborts the session.

        Parameters:
            messages: each JSON text, as str or as bytes of UTF-8; a tuple of that and the byte strings that it names by
                their indices; or a tree where the transport carries trees.
            in_turns: whether some may be left until others have had their turn.

        Returns:
            What is left of them; None if all have been taken.
        """
        handlers, as_text, account = self._handlers, self._as_text, self.account
        if account.enough < 0:
            if self.closed:
                return None
            if in_turns and account.over:
                return messages
        attached, large, before, work = self.attachments.size, self._large, account.messages, 0
        account.between = False
        for message in messages:
            if type(message) is tuple:
                if in_turns and account.is_over():
                    break
                self.receive_attached(message[0], message[1:])
                continue
            try:
                self.message_bytes = size = (len(message) if as_text else estimated_size(message)) + attached
                if size < large:
                    work += size
                elif in_turns and account.is_over():
                    break
                else:
                    self._look_at_large(message, size)
                account.messages += 1
                try:
                    wire = fast_loads(message) if as_text else message
                except ValueError:
                    account.charge(slow_work(message))
                    wire = loads(message)
                try:
                    handler = handlers[wire[0]]
                except (LookupError, TypeError):  # no list, an empty one, or one that begins with something else
                    raise _bad_message(wire) from None
                handler(wire)
            except Exception as error:  # whatever a message causes that is not caught below concerns this session only
                self.abort(error)
            if work > account.enough:
                account.spent += work // BYTES_PER_UNIT
                work = 0
                if self.reason is not None:  # it has ended
                    return None
                if in_turns and account.is_over():
                    break
        else:
            account.spent += work // BYTES_PER_UNIT
            account.between = True
            return None
        account.spent += work // BYTES_PER_UNIT
        account.between = True
        return messages[account.messages - before :] or None

    def _look_at_large(self, message: Any, size: int) -> None:
        """Charges what it takes to read a message. Raises if that is too much, or the message too long."""
        longest = self.limits.message_size
        if size > longest:
            raise ProtocolError(f"Incoming message exceeds maximum size of {longest} bytes.", "TypeError")
        self.account.begin(message)

    def receive_attached(self, message: bytes, attachments: Sequence[bytes]) -> None:
        """Takes one message with attachments.

        Parameters:
            message: JSON text.
            attachments: the byte strings that it names by their indices.
        """
        self.attachments = Attachments(attachments)
        try:
            self.receive(message)
        finally:
            self.attachments = NO_ATTACHMENTS

    def attach_bytes(self) -> None:
        """Both ends have agreed on attachments: from here on bytes travel beside the text."""
        self.raw_bytes = True

    @property
    def nobody_waits(self) -> bool:
        """Whether all that the outbox holds are releases, which the peer does not wait for."""
        return 0 < self.releases == len(self._outbox)

    @property
    def calls_received(self) -> int:
        """Calls that the peer has made: reads of properties and writes to streams count as well."""
        return self._next_call - 1

    @property
    def calls_made(self) -> int:
        """Calls that have been made of the peer: reads of properties and writes to streams count as well."""
        return self._next_push - 1

    def take_outbox(self) -> list[Any]:
        """The messages to write, in order; the outbox is empty afterwards. Each is the UTF-8 JSON text of one frame or
        line, a tuple of that and its attachments if it has any, or a tree where the transport carries trees. Once they
        are written, what waits for that may go on: see `waits`.
        """
        self.host.collect()
        return self.take_burst() if self._outbox else []

    def take_burst(self) -> list[Any]:
        """Like `take_outbox`, in the middle of what fills it: nothing else of this session goes on meanwhile."""
        messages, self._outbox = self._outbox, []
        self._taken += len(messages)
        self._taken_bytes += self.outbox_bytes
        self.outbox_bytes = self.releases = 0
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
            message: list[Wire] = ["abort"]
            self._send_encoded(message, message, encode_error, error)
        self.closed = self._mute = True
        self.reason = error
        for watch in self._watches:
            if watch.callback is not None:
                self._guarded(watch.callback, error)
        for imported in list(self._imports.values()):
            imported.fail(error)
        self._call_room = -1
        self._held_back.clear()
        self._let_streams_go_on()
        exports, self._exports = self._exports, {}
        self._dispose_each(iter(exports.values()), error)
        self._imports = {}
        drained, self._drained = self._drained, []
        for cell in drained:
            cell.reject(error)
        self.account.end()
        tell_ended(self._observer, error)
        self._on_closed(error)

    def _dispose_each(self, entries: Iterator[ExportEntry], error: BaseException) -> None:
        """Gives up what the peer held: others may go first after any of it."""
        account = self.account
        for exported in entries:
            if isinstance(exported.hook, PipeHook):
                exported.hook.pipe.fail(error)
            exported.hook.dispose()
            account.spent += WORK_PER_EXPORT
            if account.spent > account.look_at and account.is_over():
                self.host.put_off(lambda: self._dispose_each(entries, error))
                return

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
            len(self._imports),
            len(self._exports),
            self._calls,
            self._taken + len(self._outbox),
            self.account.messages,
            self._round_trips,
        )

    # ---- where one side hears the other once, as in an HTTP batch

    def write_all_at_once(self) -> None:
        """The peer sees nothing before it sees everything: no number of messages is worth a write of their own."""
        self._burst_messages = sys.maxsize

    def refuse_streams(self, error: BaseException) -> None:
        """The peer cannot acknowledge what it reads: a message with a stream of ours in it fails.

        Parameters:
            error: what it fails with.
        """
        self._no_pipes = error

    def end_of_output(self, error: BaseException) -> None:
        """The peer will hear nothing more, though its answers are still to come: what is sent is dropped, and what is
        asked for fails.

        Parameters:
            error: what it fails with.
        """
        self._mute = True
        self._no_answer = self._no_answer or error

    def end_of_input(self, error: BaseException) -> None:
        """The peer will say nothing more, though it still listens: what waits for it fails, now and later.

        Parameters:
            error: what it fails with.
        """
        self._input_ended = self._no_answer = error
        for entry in list(self._imports.values()):
            if entry.waiting is not None:
                entry.fail(error)
        for exported in list(self._exports.values()):
            if isinstance(exported.hook, PipeHook):
                exported.hook.pipe.fail(error)

    # ---- messages in

    def _on_push(self, wire: list[Wire], target: Hook | None = None) -> None:
        """Starts what is asked for.

        Parameters:
            wire: the message.
            target: what a stream message writes to, if it is one of our exports.
        """
        if len(wire) != 2:
            self._on_longer_push(wire, target)
            return
        exports = self._exports
        if len(exports) >= self.limits.exports:
            raise self._too_many_exports()
        host = self.host
        host.copied = 0
        hook = self._evaluate_push(wire[1]) if target is None else self._evaluate_write(target, wire[1])
        if self.closed:  # by what the call did
            hook.dispose()
            return
        next_call = self._next_call
        self._next_call = next_call + 1
        entry = exports[next_call] = ExportEntry(hook)
        held = host.copied * BYTES_PER_NODE
        if target is None or not isinstance(target, PipeHook):  # which counts by itself, and breaks that stream only
            held += self.message_bytes
        meter = self._meter
        if meter.held + held > meter.most:
            raise meter.error()
        meter.held += held
        entry.held_bytes = held

    def _on_longer_push(self, wire: list[Wire], target: Hook | None) -> None:
        """The same for a message of another length. What peers that have not agreed say beyond two elements, nobody
        reads.
        """
        if len(wire) < 2:
            raise _bad_message(wire)
        # Of no use to sessions in which no call carries anything.
        from capnweb_runtime.core.carrying import read  # noqa: PLC0415

        carried = read(wire[2]) if self.carries else None
        if carried is None:
            self._on_push(wire[:2], target)
            return
        host, call_id = self.host, self._next_call
        arrived = host.arrived(carried)
        host.within(arrived, lambda: self._on_push(wire[:2], target))
        entry = self._exports.get(call_id)
        if entry is not None and target is None:
            entry.hook = host.bounded(entry.hook, arrived)

    def carry_calls(self) -> None:
        """Both ends have agreed on what calls carry."""
        self.carries = True

    def _evaluate_write(self, target: Hook, expression: Wire) -> Hook:
        """The hook of what a stream message asks of one of our exports."""
        return self._pass_on(target, expression) if isinstance(target, ImportHook) else self._evaluate_push(expression)

    def _written_to(self, expression: Wire) -> Hook | None:
        """The hook that the expression of a stream message calls, if it is one of our exports."""
        if type(expression) is not list or len(expression) != 4 or type(expression[1]) is not int:
            return None
        entry = self._exports.get(expression[1]) if expression[0] == "pipeline" else None
        return None if entry is None else entry.hook

    def _pass_on(self, target: ImportHook, expression: Wire) -> Hook:
        """The hook of the result of a write to something of another peer's: it goes on as a write, in one message."""
        _, _, path, args = expression
        if type(args) is not list:
            raise unknown(expression)
        place = parse_path(expression, path)
        return forward_stream(target, place, CallArguments(args, self, 0).payload())

    def _evaluate_push(self, expression: Wire) -> Hook:
        """The hook of what a push asks for: for a call, which is nearly all of them, the hook of its result."""
        if type(expression) is list and len(expression) == 4 and expression[0] == "pipeline":
            _, export_id, path, args = expression
            if type(export_id) is int:
                entry = self._exports.get(export_id)
                if entry is None or type(args) is not list:
                    return call_own(self, self.own_export(export_id), parse_path(expression, path), expression, 0)
                if type(path) is list and len(path) == 1 and type(name := path[0]) is str:
                    return entry.hook.call_wire((name,), CallArguments(args, self, 0))
                return entry.hook.call_wire(parse_path(expression, path), CallArguments(args, self, 0))
        return PayloadHook(Evaluator(self).payload(expression), self.host)

    def _on_stream(self, wire: list[Wire]) -> None:
        """Like a push and a pull in one, released once it has been answered."""
        export_id = self._next_call
        self._on_push(wire, self._written_to(wire[1]) if len(wire) > 1 else None)
        entry = self._exports.get(export_id)
        if entry is not None:
            entry.auto_release = True
            self._resolve_export(export_id, entry)

    def _on_pipe(self, wire: list[Wire]) -> None:
        if len(self._exports) >= self.limits.exports:
            raise self._too_many_exports()
        entry = ExportEntry(PipeHook(Pipe(self.limits.stream_bytes, self._meter), self.host))
        self._exports[self._next_call] = entry
        self._next_call += 1

    def _too_many_exports(self) -> LimitExceeded:
        return LimitExceeded(
            f"the peer holds {len(self._exports)} capabilities and calls, the most that this side allows"
        )

    def _on_pull(self, wire: list[Wire]) -> None:
        export_id: int = wire[1] if len(wire) > 1 and type(wire[1]) is int else _integer(wire, 1)
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such export ID: {export_id}")
        self._resolve_export(export_id, entry)

    def _on_resolve(self, wire: list[Wire]) -> None:
        import_id: int = wire[1] if len(wire) > 2 and type(wire[1]) is int else _integer(wire, 1)
        if len(wire) < 3 or import_id == 0:  # the main object is no promise
            raise _bad_message(wire)
        if self._asked:
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
                if expect.pure and self.attachments is NO_ATTACHMENTS:
                    return Payload(expect.decode(wire, None), expect)
                value, hooks = decode_direct(expect, wire, self, 0)
                return Payload(value, expect, hooks or None)
            except (Mismatch, NotDirect):
                pass  # a promise in it, or the wrong type: known once promises are resolved, and the waiter's error
        return Evaluator(self).payload(wire)

    def _on_reject(self, wire: list[Wire]) -> None:
        import_id = _integer(wire, 1)
        if len(wire) < 3 or import_id == 0:  # the main object is no promise
            raise _bad_message(wire)
        if self._asked:
            self._answered()
        payload = Evaluator(self).payload(wire[2])
        payload.dispose()
        entry = self._imports.get(import_id)
        if entry is not None:
            error = as_exception(payload.value)
            vars(error)[PEER] = True
            entry.resolve(ErrorHook(error))
            self._imports.pop(import_id, None)

    def _on_release(self, wire: list[Wire]) -> None:
        if len(wire) == 3 and type(wire[1]) is int and type(wire[2]) is int:
            export_id, count = wire[1], wire[2]
        else:
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
        self._asked = False
        self._round_trips += 1

    # ---- the end
    def _guarded(self, callback: Callable[[BaseException], object], error: BaseException) -> None:
        try:
            callback(error)
        except Exception as failure:  # a callback's failure concerns the application, not the other callbacks
            self.host.report("on_broken", failure)


def as_exception(value: Any) -> BaseException:
    """What a peer rejected with, as something to raise: an error as it is, any other value inside an RpcError."""
    if isinstance(value, BaseException):
        return value
    return RpcError(f"the peer rejected with a value that is no error: {describe_value(value)}", None, value=value)


def _integer(wire: list[Wire], index: int) -> int:
    """The whole number at an index of a message."""
    number = wire[index] if index < len(wire) else None
    if type(number) is int:
        return number
    if type(number) is float and number.is_integer():
        return int(number)
    raise _bad_message(wire)


def _bad_message(wire: Wire) -> ProtocolError:
    return ProtocolError(f"bad RPC message: {unknown(wire).shown}")
