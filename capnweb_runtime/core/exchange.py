"""What both directions of a session share: its tables, what it sends, and the seam between values and the wire.
Rule: whatever a message exports is taken back if the message is not sent.

`Exchange` is the exporter for the values of every message that goes out, the importer for those that come in, and the
sender behind every import. `Handlers` add the messages that come in. Source: protocol, "Imports and Exports".
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar
from weakref import ref

from capnweb_runtime.core.attachments import NO_ATTACHMENTS, detach
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.exports import Exports
from capnweb_runtime.core.held import EXPORT, IMPORT
from capnweb_runtime.core.hook import (
    Codec,
    Exporter,
    Hook,
    Host,
    OutgoingStream,
    Path,
    Payload,
    Wire,
    dispose_all,
)
from capnweb_runtime.core.payload import encode_arguments
from capnweb_runtime.core.pipe import Readable
from capnweb_runtime.core.tables import ExportEntry, ImportEntry, ImportHook, MainHook, Watch, WriteEntry
from capnweb_runtime.core.text import dumps, estimated_size, fast_dumps
from capnweb_runtime.errors import LimitExceeded, ProtocolError, RpcError, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.observe import Observer

if TYPE_CHECKING:
    from capnweb_runtime.core.importer import Importer

_NO_MAIN: Final = "This connection has no main object."
_PROMISE_REUSED: Final = "Bug in RPC system: The peer sent a promise reusing an existing export ID."

STREAM_BACKLOG: Final = 128 * 1024
"""Bytes in the outbox beyond which streams wait, so that a small call does not queue behind a large transfer."""
BURST_MESSAGES: Final = 16
"""Messages in the outbox that are worth a write of their own, so that the peer works on them while more are made. With
64 calls in flight and a core for each end that nearly doubled what went through; bursts of 8 and of 32 did less. Where
both ends share a core, nothing can be won, and the writes cost up to a fifth.
"""
BURST_BYTES: Final = 16 * 1024
"""Bytes of which the same is true."""

BYTES_PER_MESSAGE: Final = 48
"""Bytes that a message in the outbox takes beside its own."""
COUNTED_OUTBOX: Final = 64 * 1024
"""Bytes in the outbox beyond which they count as held."""

V = TypeVar("V")

Encoding: TypeAlias = Literal["string", "json", "json-with-bytes"]
"""What a transport carries: JSON text; JSON trees, which it encodes itself; or trees in which bytes stay bytes."""


class Exchange(Exports):
    """Tables and outgoing half of a session; see `Session` for the parameters.

    Attributes:
        bounds_calls: whether it sees to the deadlines of calls by itself.
        begin_plan: see `Importer.begin_plan`; None unless the application has asked for plans.
        takes_plans: whether the peer carries out plans; None as long as that is not known.
    """

    bounds_calls = False
    begin_plan: Callable[[Importer, Hook, Path, list[Hook], list[Wire], int], Hook] | None = None
    takes_plans: bool | None = None

    def __init__(
        self,
        main: Hook | None,
        host: Host,
        wake: Callable[[], None],
        on_burst: Callable[[], None],
        limits: Limits,
        observer: Observer,
        encoding: Encoding,
    ) -> None:
        self.host = host
        self.limits = limits
        self.closed = False
        self.reason: BaseException | None = None
        self.outbox_bytes = 0
        # What the message at hand is to exporter and importer.
        self.depth = 0  # of the values in the one that is being encoded
        self.account = host.account
        self.held = host.held
        self.held.bytes += EXPORT  # of the main object
        self.local = False
        self.carries = False  # whether the peer has agreed to what calls carry; see `carrying`
        self.collected: list[dict[str, Wire]] | None = None  # what they would carry, where it goes beside all of them
        self.raw_bytes = encoding == "json-with-bytes"
        self.attachments = NO_ATTACHMENTS  # of the message that is being received
        self.message_bytes = 0  # of the one that is being received
        self._as_text = encoding == "string"  # not once the peer will hear nothing more
        self._here, self.home = host.here, host.home
        self._wake = wake
        self._on_burst = on_burst
        self._room = limits.outbox_bytes  # bytes in the outbox from which on nothing more is begun
        self._call_room = self._room  # the same for calls; less than none once the session has ended
        self._burst_bytes = min(BURST_BYTES, limits.outbox_bytes)
        self._burst_messages = BURST_MESSAGES
        self._observer = observer
        self._outbox: list[Any] = []
        self.releases = 0  # in the outbox
        self.was_long = False  # whether what was taken from the outbox last counted as held
        self.waits = False  # whether there is anything in the next two
        self._held_back: deque[Callable[[], None]] = deque()  # what sends the answers for which the outbox has no room
        self._written: Cell[None] | None = None  # settles when the outbox is written or a write is acknowledged
        self._writes = 0  # of streams, not acknowledged: up to half of Limits.imports, beside calls and capabilities
        self._exports: dict[int, ExportEntry] = {0: ExportEntry(main or ErrorHook(RpcError(_NO_MAIN)))}
        self._imports: dict[int, ImportEntry] = {0: ImportEntry(self, 0)}
        self._next_push = 1  # next id of a call that we send
        self._next_export = -1
        # By the messages that are being encoded, the innermost last: for taking back. Pipes are positive.
        self._exported: list[int] = []
        self._promised: set[int] = set()  # those of them whose resolution follows the message
        self._piped: dict[int, tuple[Any, Hook]] = {}  # streams that begin once their message is sent
        self._watches: list[Watch] = []
        self._drained: list[Cell[None]] = []
        self._calls = 0
        self._taken = self._taken_bytes = 0  # messages, from the outbox, and what they came to
        self._input_ended: BaseException | None = None  # why the peer will say nothing more, if it will not
        self._no_pipes: BaseException | None = None  # why no stream can be begun, if none can
        self._no_answer: BaseException | None = (
            None  # why no answer can come, if none can: our input or our output has ended
        )
        self._mute = False  # the peer will hear nothing more: the session has ended, or our output
        self._calls_refused: BaseException | None = None  # why no call goes out any more, before the session has ended
        self._asked = False  # a question has gone out since the last answer came in
        self._itself = ref(self)
        self.remote_main = MainHook(self._imports[0], self._shut_down)

    @abstractmethod
    def abort(self, error: BaseException, *, notify: bool = True) -> None:
        """Ends the session."""

    def _shut_down(self) -> None:
        self.abort(SessionClosed("RPC session was shut down by disposing the main stub"), notify=False)

    def _ended(self) -> BaseException:
        return self.reason or SessionClosed("the session has ended")

    def go_on(self) -> None:
        """Sends the answers that were held back, as far as the outbox has room for them, and lets streams go on; to be
        called once what has been taken from it is written, since more is sent in here.
        """
        while self._held_back and self.outbox_bytes < self._room:
            self._held_back.popleft()()
        self._let_streams_go_on()

    # ---- messages out (Sender)

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        """See `Sender.send_call`. A call that the application made and that cannot be encoded raises, and so does one
        that is made elsewhere than the session lives; one that is passed on, or past a limit, or on an ended session,
        fails.
        """
        if self._here() is not self.home:
            self._called_elsewhere(args)
        if self.outbox_bytes >= self._call_room or len(self._imports) >= self.limits.imports:
            if args is not None:
                args.dispose()
            return ErrorHook(self._no_call() or self._ended())
        call: list[Wire] = ["pipeline", import_id, [*path]]
        if args is None:
            self._send(["push", call])
            return self._pushed(self._take_call_id(), expect)
        codec = args.codec
        try:
            if codec is not None:
                call_id = self._send_encoded(["push", call], call, codec.encode, args.value, 1, True)
            else:
                call_id = self._send_encoded(["push", call], call, encode_arguments, args, 1, True)
        except Exception as error:
            if codec is not None:
                raise
            return ErrorHook(error)  # the session that it came from must not end for it
        finally:
            if args.hooks is not None:
                args.dispose()
        return self._pushed(call_id, expect)

    def _called_elsewhere(self, args: Payload | None) -> None:
        try:
            self.host.elsewhere()
        except RuntimeError:
            if args is not None:
                args.dispose()
            raise

    def send_stream(self, import_id: int, path: Path, args: Payload) -> tuple[Cell[Payload], int]:
        """See `Sender.send_stream`."""
        if self._here() is not self.home:
            self._called_elsewhere(args)
        done: Cell[Payload] = Cell()
        refused = self._ended() if self.closed else self._input_ended  # past a limit, streams wait: see `backlog`
        if refused is not None:
            args.dispose()
            done.reject(refused)
            return done, 0
        before = self._taken_bytes + self.outbox_bytes
        call: list[Wire] = ["pipeline", import_id, [*path]]
        try:
            if args.codec is not None:
                call_id = self._send_encoded(["stream", call], call, args.codec.encode, args.value, 1, True)
            else:
                call_id = self._send_encoded(["stream", call], call, encode_arguments, args, 1, True)
        finally:
            if args.hooks is not None:
                args.dispose()
        if self.closed:  # by the message itself, which the transport did not take
            done.reject(self._ended())
            return done, 0
        size = self._taken_bytes + self.outbox_bytes - before
        self._imports[call_id] = WriteEntry(self, call_id, done, self._write_ended)
        self._writes += 1
        return done, size

    def _write_ended(self) -> None:
        self._writes -= 1
        if self._written is not None:
            self._let_streams_go_on()

    def backlog(self) -> Cell[None] | None:
        """See `Sender.backlog`."""
        has_room = self.outbox_bytes < STREAM_BACKLOG and 2 * self._writes < self.limits.imports
        return None if has_room or self.closed else self._until_written()

    def full(self) -> Cell[None] | None:
        """See `Sender.full`."""
        has_room = self.outbox_bytes < self._room
        return None if has_room or self.closed else self._until_written()

    def _until_written(self) -> Cell[None]:
        if self._written is None:
            self.waits = True
            self._written = Cell()
        return self._written

    def _let_streams_go_on(self) -> None:
        """Settles what `backlog` and `full` have given out."""
        written, self._written = self._written, None
        self.waits = bool(self._held_back)
        if written is not None:
            written.resolve(None)

    def create_pipe(self, source: Readable) -> int:
        """See `Exporter.create_pipe`. Raises what the session ended with, or LimitExceeded."""
        refused = self._no_pipes or self._refusal()
        if refused is not None:
            raise refused
        self._send(["pipe"])
        pipe_id = self._take_call_id()
        self._piped[pipe_id] = source, self._pushed(pipe_id, None)
        self._exported.append(pipe_id)
        return pipe_id

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        """See `Sender.send_map`."""
        if self._here() is not self.home:
            self._called_elsewhere(Payload(None, None, captures))
        refused = self._no_call()
        if refused is not None:
            dispose_all(captures)
            return ErrorHook(refused)
        push: list[Wire] = ["push"]

        def encode(captures: list[Hook], to: Exporter) -> list[Wire]:
            return ["remap", import_id, list(path), [self._capture(hook) for hook in captures], instructions]

        return self._pushed(self._send_encoded(push, push, encode, captures, is_call=True), expect)

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
        if self._no_answer is not None:
            self._imports[import_id].fail(self._no_answer)
            return
        self._asked = True
        self._send(["pull", import_id])

    def give_up(self, import_id: int, count: int) -> None:
        """See `Sender.give_up`."""
        self._off_table(import_id)
        self.send_release(import_id, count)

    def send_release(self, import_id: int, count: int) -> None:
        """See `Sender.send_release`."""
        if not self._mute:
            self.releases += 1
            self._send(["release", import_id, count])

    def watch(self, callback: Callable[[BaseException], object]) -> Watch:
        """See `Sender.watch`."""
        watch = Watch(callback)
        if len(self._watches) >= 2 * (1 + len(self._imports)):
            self._watches = [kept for kept in self._watches if kept.callback is not None]
        self._watches.append(watch)
        return watch

    @property
    def takes_calls(self) -> bool:
        """Whether a call that is made now goes out, and may be answered."""
        return self._no_call() is None and self._no_answer is None

    def _refusal(self) -> BaseException | None:
        if self.closed:
            return self._ended()
        if len(self._imports) >= self.limits.imports:
            return LimitExceeded(
                f"{len(self._imports)} capabilities and calls are held of the peer, the most that Limits.imports allows"
            )
        return None

    def _no_call(self) -> BaseException | None:
        """Why no call can be made, if none can."""
        if self._calls_refused is not None and not self.closed:
            return self._calls_refused
        if self.outbox_bytes < self._room or self.closed:
            return self._refusal()
        return LimitExceeded(
            f"{self.outbox_bytes} bytes wait to be sent, and Limits.outbox_bytes allows {self._room}: "
            "await calls before making more"
        )

    def _take_call_id(self) -> int:
        """The id of the call or pipe that has just been sent: both sides count them."""
        call_id = self._next_push
        self._next_push += 1
        return call_id

    def _pushed(self, call_id: int, expect: Codec | None) -> ImportHook:
        entry = ImportEntry(self, call_id, expect)
        hook = ImportHook(entry)
        if not self.closed:
            self._imports[call_id] = entry
        else:  # by the message itself, which the transport did not take
            entry.fail(self._ended())
        return hook

    def _send_encoded(
        self,
        message: list[Wire],
        last: list[Wire],
        encode: Callable[[V, Exporter], Wire],
        value: V,
        depth: int = 0,
        is_call: bool = False,
    ) -> int:
        """Sends a message with values in it. What they export is taken back if they cannot be encoded; promises
        among them are resolved, and streams begun, afterwards.

        Parameters:
            message: what stands before the values.
            last: the part of it that the encoded values are to be appended to.
            encode: encodes them. It may run code of the application, a property's getter say, that sends messages of
                its own: hence the mark and the saving of the depth.
            value: what it is called with.
            depth: of the values in the message.
            is_call: whether the peer counts the message as a call.

        Returns:
            The id of the call, if it is one; otherwise that of the next.
        """
        exported = self._exported
        mark = len(exported)
        outer_depth, self.depth = self.depth, depth
        try:
            last.append(encode(value, self))
            self._send(message)
        except BaseException:
            self.take_back(mark)
            raise
        finally:
            self.depth = outer_depth
        call_id = self._next_push
        if is_call:  # taken before anything else is sent
            self._next_push = call_id + 1
        if exported:
            self._follow_up(mark)
        return call_id

    def _follow_up(self, mark: int) -> None:
        """Sends what belongs to a message that has been sent: the resolutions of its promises, and its streams."""
        exported = self._exported[mark:]
        del self._exported[mark:]
        for export_id in exported:
            if export_id in self._promised:
                self._promised.discard(export_id)
                entry = self._exports.get(export_id)
                if entry is not None:
                    self._resolve_export(export_id, entry)
        for pipe_id in exported:
            if pipe_id > 0:
                self._begin(*self._piped.pop(pipe_id))

    def _begin(self, source: Any, into: Hook) -> None:
        """Takes a stream, and writes it into a pipe of the peer's."""
        if isinstance(source, OutgoingStream) and not source.taken:
            source.taken = True
            self.host.pump(source, into)
        else:
            from capnweb_runtime.core.pump import pass_on  # noqa: PLC0415  (few programs do)

            pass_on(source, into, self)

    def _send(self, message: list[Wire]) -> None:
        outbox = self._outbox
        if self._as_text:
            if not outbox:
                self._wake()
            try:
                text = fast_dumps(message)
            except TypeError:
                self._put(detach(message) if self.raw_bytes else (dumps(message),))
            else:
                outbox.append(text)
                self.outbox_bytes += len(text)
        elif self._mute:
            return
        else:
            if not outbox:
                self._wake()
            outbox.append(message)
            self.outbox_bytes += estimated_size(message)
        if len(outbox) >= self._burst_messages or self.outbox_bytes > self._burst_bytes:
            self._on_burst()
            if self._outbox:
                self._keep()

    def _keep(self) -> None:
        """The peer does not read: what waits counts, and takes no more room than it needs."""
        outbox = self._outbox
        if type(outbox[-1]) is bytes:
            outbox[-1] = bytes(memoryview(outbox[-1]))  # orjson leaves it in a buffer of at least 4 KiB
        if self.outbox_bytes > COUNTED_OUTBOX:
            self.held.set_outbox(self.outbox_bytes + BYTES_PER_MESSAGE * len(outbox))

    def _fall_silent(self) -> None:
        """The peer will hear nothing more: what is sent from here on is dropped."""
        self._mute = True
        self._as_text = False

    def _put(self, parts: tuple[bytes, ...]) -> None:
        """Puts a message into the outbox: its text, or a tuple with that and its attachments if it has any."""
        self._outbox.append(parts if parts[1:] else parts[0])
        self.outbox_bytes += sum(map(len, parts))

    # ---- capabilities in (Importer)

    def import_id(self, hook: Hook) -> int | None:
        """See `Exporter.import_id`."""
        if isinstance(hook, ImportHook):
            entry = hook.entry
            if entry is not None and entry.sender is self and entry.resolution is None:
                return entry.import_id
            return None
        return hook.known_to(self)

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
        held = self.held
        held.bytes += IMPORT
        if held.bytes > held.look_at:
            held.look(IMPORT)
        entry = self._imports[import_id] = ImportEntry(self, import_id)
        return ImportHook(entry)

    def _off_table(self, import_id: int) -> None:
        """Takes an import off the table."""
        if self._imports.pop(import_id, None) is not None and import_id < 0:
            self.held.bytes -= IMPORT

    def forget(self, hook: Hook) -> None:
        """See `Importer.forget`."""
        if not isinstance(hook, ImportHook) or hook.entry is None or hook.entry.sender is not self:
            hook.dispose()  # one of our own exports that came home
            return
        entry, hook.entry = hook.entry, None
        entry.local_refs -= 1
        entry.remote_refs -= 1
        if entry.remote_refs == 0:
            self._off_table(entry.import_id)

    def map_budget(self) -> Budget:
        """See `Importer.map_budget`."""
        return self.account.map_budget()
