"""One session of the protocol. Rule: a message goes in, messages come out; bad input ends this session at worst,
with a reason the peer is told.

`receive` takes a message, which one of the `handlers` sees to, and `take_outbox` hands over what is to be written.
Whoever drives a session (see `connection`) writes once per turn of its loop. There are no tasks, queues or timers per
call in here.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from capnweb_runtime.core.account import BYTES_PER_UNIT
from capnweb_runtime.core.attachments import NO_ATTACHMENTS, Attachments
from capnweb_runtime.core.broken import forget_frames
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.devaluate import encode_sent
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.core.exports import in_order_of_disposal
from capnweb_runtime.core.handlers import Handlers, bad_message
from capnweb_runtime.core.held import EXPORT, IMPORT, out_of_memory
from capnweb_runtime.core.hook import Hook, Host, Wire
from capnweb_runtime.core.introductions import Introductions
from capnweb_runtime.core.stream_hooks import PipeHook
from capnweb_runtime.core.tables import Ended, ExportEntry
from capnweb_runtime.core.text import estimated_size, fast_loads, loads
from capnweb_runtime.core.weight import slow_work
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.observe import Observer, tell_ended

WORK_PER_EXPORT: Final = 2
"""Units of work that giving up an export takes, about."""
GIVEN_BACK_PER_UNIT: Final = 2048
"""Bytes of a value that a unit of work gives back: some twenty small objects."""


class SessionStats(NamedTuple):
    """Counts of what one session holds and has done, on this side.

    Attributes:
        imports: entries on the import table: objects and functions of the peer that this side holds, the peer's main
            object included, and calls of this side that have no answer yet.
        exports: entries on the export table: objects and functions of this side that the peer holds, the main object
            included, and calls of the peer whose results it has not released.
        calls: calls of the peer whose results it has asked for and has not been sent yet.
        messages_sent: messages that were handed to the transport.
        messages_received: messages that have arrived.
        round_trips: how often this side has had to wait for the peer; answers to calls that were sent together count
            once.
        round_trip_time: seconds between the last ping and its answer; None where there has been none yet.
    """

    imports: int
    exports: int
    calls: int
    messages_sent: int
    messages_received: int
    round_trips: int
    round_trip_time: float | None = None


class Session(Handlers):
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
        was_long: whether what has been taken from the outbox counted as held, and nobody has asked since.
        waits: whether `go_on` is to be called once what has been taken from the outbox is written; so it is when the
            session has ended.
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
        self._size_of: Callable[[Any], int] = len if encoding == "string" else estimated_size
        self._read: Callable[[Any], Any] = fast_loads if encoding == "string" else _as_it_is
        self._on_closed = on_closed
        self._told: BaseException | None = None
        self.held.end = self.abort
        self._next_call = 1  # next id of a call that the peer sends
        self._round_trips = 0
        self._has_said_why = False  # as the last that it sends
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
        account, handlers, size_of, read, held = self.account, self._handlers, self._size_of, self._read, self.held
        before, work = account.messages, 0
        account.between = False
        for message in messages:
            account.messages += 1
            held.message = message
            try:
                self.message_bytes = size = size_of(message)
                work += size
                if work > account.enough:  # as with any large message
                    account.spent += (work - size) // BYTES_PER_UNIT
                    work = 0
                    if self.closed or (in_turns and account.is_over()):
                        break
                    self._charge_reading(message, size)
                try:
                    wire = read(message)
                except ValueError:
                    if type(message) is tuple and in_turns and account.is_over():
                        break
                    self._take_apart(message)
                    continue
                try:
                    handler = handlers[wire[0]]
                except (LookupError, TypeError):  # no list, an empty one, or one that begins with something else
                    raise bad_message(wire) from None
                handler(wire)
            except Exception as error:  # whatever a message causes that is not caught below concerns this session only
                self._fail(error)
        else:
            account.spent += work // BYTES_PER_UNIT
            account.between = True
            held.message = None
            if held.due:
                account.spent += held.weigh()
            return None
        account.messages -= 1
        account.spent += work // BYTES_PER_UNIT
        account.between = True
        held.message = None
        if held.due:
            account.spent += held.weigh()
        return None if self.closed else messages[account.messages - before :]

    def _fail(self, error: BaseException) -> None:
        """Ends the session for what a message has caused."""
        self.abort(error)
        forget_frames(error)

    def _charge_reading(self, message: Any, size: int) -> None:
        """Charges what it takes to read a message. Raises if that is too much, or the message too long."""
        longest = self.limits.message_size
        if size > longest:
            raise ProtocolError(f"Incoming message exceeds maximum size of {longest} bytes.", "TypeError")
        if size < self.account.large:
            self.account.spent += size // BYTES_PER_UNIT
        else:
            self.account.begin(message)

    def _take_apart(self, message: Any) -> None:
        """Takes a message with attachments, or one whose JSON text needs the slow parser."""
        try:
            wire = self._read_attached(*message) if type(message) is tuple else self._read_slowly(message)
            handler = self._handlers.get(wire[0]) if type(wire) is list and wire and type(wire[0]) is str else None
            if handler is None:
                raise bad_message(wire)
            handler(wire)
        finally:
            self.attachments = NO_ATTACHMENTS
            self.held.attached = 0

    def _read_attached(self, text: Any, *attachments: bytes) -> Any:
        self.attachments = Attachments(attachments)
        self.held.message, self.held.attached = text, self.attachments.size
        self.message_bytes = size = len(text) + self.attachments.size
        self._charge_reading(text, size)
        try:
            return fast_loads(text)
        except ValueError:
            return self._read_slowly(text)

    def _read_slowly(self, text: Any) -> Any:
        """The tree of a text that the fast parser refuses."""
        self.account.charge(slow_work(text, self.account.most))
        return loads(text)

    def attach_bytes(self) -> None:
        """Both ends have agreed on attachments: from here on bytes travel beside the text."""
        self.raw_bytes = True

    def carry_calls(self) -> None:
        """Both ends have agreed on what calls carry."""
        self.carries = True
        self.introductions = Introductions()

    @property
    def nobody_waits(self) -> bool:
        """Whether all that the outbox holds are releases, which the peer does not wait for."""
        return 0 < self.releases == len(self._outbox)

    @property
    def imports(self) -> int:
        """Entries on the import table."""
        return len(self._imports)

    @property
    def exports(self) -> int:
        """Entries on the export table."""
        return len(self._exports)

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
        if self.host.discarded:
            self.host.collect()
        return self.take_burst() if self._outbox else []

    def take_burst(self) -> list[Any]:
        """Like `take_outbox`, in the middle of what fills it: nothing else of this session goes on meanwhile."""
        messages, self._outbox = self._outbox, []
        self._taken += len(messages)
        self._taken_bytes += self.outbox_bytes
        self.outbox_bytes = self.releases = 0
        if self.held.outbox:
            self.held.set_outbox(0)
            self.was_long = True
        return messages

    @property
    def position(self) -> int:
        """Messages that have been put into the outbox; see `withdraw`."""
        return self._taken + len(self._outbox)

    @property
    def taken(self) -> int:
        """The position up to which messages have been taken from the outbox."""
        return self._taken

    def withdraw(self) -> int:
        """Takes back what waits in the outbox of a session that has ended, but for its farewell: it is not sent.

        Returns:
            The position up to which messages have been taken from the outbox, each of which may have arrived.
        """
        taken = self._taken
        self._outbox = self._outbox[-1:] if self._has_said_why else []
        return taken

    def abort(self, error: BaseException, *, notify: bool = True) -> None:
        """Ends the session: everything in progress fails with the error, and everything that the peer held is disposed.

        Parameters:
            error: the reason.
            notify: whether to send it to the peer.
        """
        if self.closed:
            return
        if isinstance(error, MemoryError):
            error = out_of_memory("a message was taken")
        if notify:
            message: list[Wire] = ["abort"]
            with contextlib.suppress(MemoryError):  # the peer sees that it is over
                self._told = self.error_to_send(error)
                self._send_encoded(message, message, encode_sent, self._told)
        self.closed = True
        self._fall_silent()
        self._has_said_why = notify
        self.reason = error
        self.held.leave()
        for watch in self._watches:
            if watch.callback is not None:
                self._guarded(watch.callback, error)
        self._watches = []
        self._fail_imports(error)
        self._call_room = -1
        self._held_back.clear()
        self._let_streams_go_on()
        exports, self._exports = self._exports, {}
        self._dispose_each(in_order_of_disposal(exports), error)
        drained, self._drained = self._drained, []
        for cell in drained:
            cell.reject(error)
        self.account.end()
        self.waits = True
        tell_ended(self._observer, error)
        self._on_closed(error)
        self._let_go()

    def _fail_imports(self, error: BaseException) -> None:
        ended = Ended(self.host)
        imports, self._imports = self._imports, {}
        for imported in imports.values():
            imported.fail(error)
            imported.sender = ended
            if imported.import_id < 0:
                self.held.bytes -= IMPORT

    def _let_go(self) -> None:
        """Ends every cycle of references, so that nobody has to look for what is left of an ended session."""
        self._handlers = {}
        self._wake = self._on_burst = self._on_closed = _nobody
        self.remote_main.let_go()

    @property
    def told(self) -> BaseException:
        """What the peer is told of the reason, whatever carries it: an abort message, a close frame, a body."""
        if self._told is None:
            self._told = self.error_to_send(self._ended())
        return self._told

    def _dispose_each(self, entries: Iterator[ExportEntry], error: BaseException) -> None:
        """Gives up what the peer held: others may go first after any of it."""
        account, held = self.account, self.held
        before = held.bytes
        for exported in entries:
            hook, pulled = exported.hook, exported.pulled
            if isinstance(hook, PipeHook):
                hook.pipe.fail(error)
            if pulled is not True and pulled is not False:
                pulled.drop()
            hook.dispose()
            after = held.bytes = held.bytes - EXPORT
            account.spent += WORK_PER_EXPORT + (before - after) // GIVEN_BACK_PER_UNIT
            before = after
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

    def refuse_calls(self, error: BaseException) -> None:
        """From here on no call goes out; those that have gone out are answered as before.

        Parameters:
            error: what further calls fail with.
        """
        self._calls_refused = error
        self._call_room = -1

    def unanswered(self) -> list[Cell[Any]]:
        """Calls of ours, and writes to streams, whose answers somebody waits for; each settles with its answer."""
        return [entry.waiting for entry in self._imports.values() if entry.import_id > 0 and entry.waiting is not None]

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
        self._fall_silent()
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

    def _guarded(self, callback: Callable[[BaseException], object], error: BaseException) -> None:
        try:
            callback(error)
        except Exception as failure:  # a callback's failure concerns the application, not the other callbacks
            self.host.report("on_broken", failure)


def _nobody(_: object = None) -> None:
    """There is nobody to be told."""


def _as_it_is(message: Any) -> Any:
    return message
