"""What a stub holds, and what crosses between hooks. Rule: every method says who owns what afterwards.

A Hook is one reference to something that can be called: an entry of the peer's export table, a local target, a value
that has arrived, or a promise of any of these. Stubs and promises of the public API are thin covers over a hook. A
Payload is a tree of values with the hooks in it: the arguments of one call, or one result. `Exporter` and `Importer`
are the seam between values and the wire: the session implements both with its tables, the recorder of `map()` is an
exporter, its replayer an importer. All but the last know each other, and so stand together; what is made of them, and
what they are said in, has files of its own: `importer`, `refs`, `broken`, `budget`, `calls`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NoReturn, Protocol, TypeAlias, TypeVar

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.budget import Budget, Running
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.introductions import Introductions
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.limits import Limits

if TYPE_CHECKING:
    from capnweb_runtime.core.calls import CallHandle, Carried
    from capnweb_runtime.core.costs import CostWindow

A = TypeVar("A")

Wire: TypeAlias = Any
"""A JSON-compatible tree, as it stands in a message."""
UNDEFINED_WIRE: Final = ["undefined"]
"""The wire form of undefined: compared with and sent, never changed."""
Disclosure: TypeAlias = Literal["declared", "plain", "all"]
"""Which errors are sent as they are: those that the schema declares and RpcError; those, and exceptions that people
raise for their callers; or every one, as the npm package does. See `core.disclosure`.
"""
Path: TypeAlias = tuple[str | int, ...]
"""Property names and list indices that lead from a value to a part of it."""


class Host(Protocol):
    """Runs code of the application on behalf of the core.

    Attributes:
        limits: bounds of the session.
        running: calls that have started and not returned; counted by the core.
        everybody: the same, of all sessions that share a bound; counted by the core.
        account: what the session's work may cost.
        held: what the session makes this side hold.
        disclosure: which errors peers are sent as they are; see `core.disclosure`.
        discarded: what is to be disposed at the next turn.
        home: the event loop on which the session lives; None if there is none.
        attends: whether there is more to every call than to run it; see `attend`.
        carried: what the message at hand carries beside its call; see `within`.
        costs: counts what the peer's calls cost; None where nothing bounds that, and where it does not attend.
    """

    attends: ClassVar[bool]
    carried: Any
    costs: CostWindow | None
    limits: Limits
    running: int
    everybody: Running
    account: Account
    held: HeldBytes
    disclosure: Disclosure
    discarded: deque[Hook]
    home: Any

    def here(self) -> object:
        """The event loop that runs the caller; where that is not `home`, `elsewhere` is to be asked."""
        ...

    def elsewhere(self) -> None:
        """Raises RuntimeError if the session must not be used by the caller, who is not on its event loop."""
        ...

    def start(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function in a Context of its own. Returns its value if it ran inline, or a `Cell` if the value has
        to be waited for; raises what the function raised inline.
        """
        ...

    def call(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Like `start`, for a method of a target or a function that a peer calls, which may run elsewhere."""
        ...

    def attend(
        self,
        begin: Callable[[Callable[..., Any], Any, A, Any, str], Hook],
        function: Callable[..., Any],
        method: Any,
        args: A,
        where: str,
    ) -> Hook:
        """Has a function called of whose call there is more to say: it may be cancelled, say.

        Parameters:
            begin: `invoke` or `invoke_wire`, which is to have the function, the method, the arguments, this host, and
                the place.
            function: the function.
            method: the entry of the interface's table.
            args: the arguments, not decoded.
            where: what to call the function in a report.

        Returns:
            A hook for the result, owned by the caller.
        """
        ...

    def attended_reading(self, read: Callable[..., Any], member: Any, where: str) -> Callable[..., Any]:
        """What reads a property in place of the given function, where there is more to that. Raises CostExceeded if it
        cannot be afforded.
        """
        ...

    def refused(self, name: str, error: BaseException) -> None:
        """A peer has called what the table of a target does not have. To be told where this attends.

        Parameters: the name that it has called, a stranger's text, and what it is told.
        """
        ...

    def mapping(self, work: Callable[[], A]) -> A:
        """Does something; the calls that it makes are those of a mapper function. To be asked where this attends."""
        ...

    def arrived(self, carried: Carried) -> Any:
        """What a message carries that has just come, for `within` and `bounded`."""
        ...

    def within(self, carried: Any, work: Callable[..., Any], *args: Any) -> Any:
        """Does something, and lets the calls that it makes see what their message carries, which `arrived` gave."""
        ...

    def passing_on(self, carried: Any, work: Callable[[Hook], object], called: Hook) -> None:
        """Like `within`, for what is asked of a hook, which may lead to another peer or to another session's object."""
        ...

    def bounded(self, hook: Hook, carried: Any) -> Hook:
        """A hook, owned by the caller, that is in place of the given one, which it owns: once somebody has asked for
        its result, that fails with a DeadlineExceeded when the deadline passes that `arrived` with the call, and is
        given up. The hook itself if there is no deadline.
        """
        ...

    def handle(self, function: Callable[..., Any]) -> CallHandle | None:
        """What runs a function so that it can be cancelled; None if it cannot."""
        ...

    def once_begun(self, work: Callable[[], None]) -> None:
        """Does something once every call that came before it has begun, or will not begin any more."""
        ...

    def finish(self, awaitable: Awaitable[Any]) -> Any:
        """Runs what is left of an async disposer to its end, whatever else ends. Returns what `start` would."""
        ...

    def new_stub(self, hook: Hook) -> StubRef:
        """An untyped stub for the application over the hook, which the stub owns."""
        ...

    def new_readable(self, pipe: Pipe) -> Any:
        """A readable stream for the application over the pipe."""
        ...

    def new_writable(self, hook: Hook) -> StubRef:
        """A writable stream for the application over the hook, which the stream owns."""
        ...

    def function_hook(self, function: Callable[..., Any]) -> Hook:
        """A new hook over a plain function that no schema describes, owned by the caller."""
        ...

    def value_hook(self, cell: Cell[Any]) -> Hook:
        """A new hook over a plain value that is not known yet, owned by the caller."""
        ...

    def awaitable_hook(self, awaitable: Any, codec: Codec) -> Hook:
        """A new hook over what an awaitable of the application will give, owned by the caller."""
        ...

    def pump(self, source: OutgoingStream, into: Hook) -> None:
        """Starts writing a stream of the application's into the writable end of a pipe; owns the hook."""
        ...

    def close(self, source: OutgoingStream) -> None:
        """Closes a stream of the application's that nobody will read."""
        ...

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def discard(self, hook: Hook) -> None:
        """Disposes the hook at the next turn; callable from any thread, in the middle of anything."""
        ...

    def collect(self) -> None:
        """Disposes what has been discarded."""
        ...

    def put_off(self, work: Callable[[], object]) -> None:
        """Does something once others have had their turn: after what was put off before it, and before any message that
        is taken later. For what is to go on while `account.is_over`.
        """
        ...

    def report(self, where: str, error: BaseException) -> None:
        """Tells the application that code of its own failed: interface and member, and what was raised."""
        ...


class Exporter(Protocol):
    """Gives capabilities their ids on the wire.

    Attributes:
        host: runs local targets and functions that are exported.
        depth: how deep in its message a value stands that is encoded: 1 in arguments, otherwise 0.
        raw_bytes: whether the transport carries bytes as they are.
        account: what the values may cost that are put together from earlier ones.
        local: whether nothing is written: what cannot be copied then travels as it is, inside a `Local`.
        introductions: what is said of the interfaces of objects; None if the peer has not agreed to that.
    """

    depth: int
    account: Account
    local: bool
    raw_bytes: bool

    @property
    def host(self) -> Host:
        """See above; a recorder of `map()` has none and raises TypeError."""
        ...

    @property
    def introductions(self) -> Introductions | None:
        """See above."""
        ...

    def export_stub(self, hook: Hook) -> int:
        """Puts the hook on the export table, which owns it from here on, and returns its id."""
        ...

    def export_promise(self, hook: Hook) -> int:
        """Like `export_stub`, for a hook whose resolution is to be sent as soon as it is known."""
        ...

    def mark(self) -> int:
        """Where the message's exports are up to now."""
        ...

    def take_back(self, mark: int) -> None:
        """Takes back what the message has exported since the mark."""
        ...

    def create_pipe(self, source: Readable) -> int:
        """Opens a pipe to the receiver and returns its id. Once the message has been sent, the stream is taken and
        written into it; if it is not sent, the stream stays with whoever had it.
        """
        ...

    def import_id(self, hook: Hook) -> int | None:
        """Id under which the receiver of the message knows the hook already, because it is its own; otherwise None."""
        ...

    def error_to_send(self, error: BaseException) -> BaseException:
        """The exception to send in place of the given one."""
        ...

    def discloses(self, error: BaseException) -> bool:
        """Whether an exception may be sent as the cause of another."""
        ...


class Codec:
    """How the values of one type travel. Abstract, as `Hook` is, and like it without the metaclass.

    Attributes:
        pure: no capability can be part of a value, so encoding has no side effects and can wait until it is needed.
        exact: wire forms of exactly this class are values as they are; None if all have to be decoded one by one.
    """

    pure: bool = True
    exact: type | None = None

    @property
    @abstractmethod
    def label(self) -> str:
        """The type in words; asked for only where a message needs it, when all classes are there."""

    @abstractmethod
    def encode(self, value: Any, to: Exporter) -> Wire:
        """The wire form of a value. Raises Mismatch naming the path where the value is not of the type."""

    @abstractmethod
    def decode(self, wire: Wire, source: Any) -> Any:
        """The value of a wire form. Raises Mismatch naming the path where the wire form is not of the type."""


class Payload:
    """A tree of values and the capabilities in it.

    Attributes:
        value: the tree. With a codec it is the application's typed value; without, it is plain: dict, list, scalars and
            Refs.
        codec: how the typed value travels, or None.
        hooks: capabilities that this payload owns.
        promises: promises in a plain tree that are still to be replaced by what they resolve to: (container, key,
            promise).
        resolving: settles once they have been replaced, with whether there is nothing in the tree then that could be
            owned; None until somebody has asked for it.
        shared: parts of a plain tree may stand in it more than once, or in another payload: it is copied before an
            application gets it.
        origin: the interface and member that gave the value, for a message about it.
        counted: what counts as held for as long as the value is, in this payload and in others that share it.
    """

    __slots__ = ("codec", "counted", "hooks", "origin", "promises", "resolving", "shared", "value")

    def __init__(
        self,
        value: Any,
        codec: Codec | None = None,
        hooks: list[Hook] | None = None,
        promises: list[tuple[Any, Any, PromiseRef]] | None = None,
        origin: str = "a call",
    ) -> None:
        self.origin = origin
        self.value = value
        self.codec = codec
        self.hooks = hooks
        self.promises = promises
        self.resolving: Cell[bool] | None = None
        self.shared = False
        self.counted: Any = None

    def dispose(self) -> None:
        """Disposes every hook that the payload owns; safe to repeat."""
        hooks, self.hooks = self.hooks, None
        self.promises = None
        for hook in hooks or ():
            hook.dispose()


class Held:
    """Base of what a field of a pydantic model may be by its class, such as `Room[UserStub]`: an instance of it."""

    __slots__ = ()

    if not TYPE_CHECKING:

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return {"type": "is-instance", "cls": cls}


class OutgoingStream(Readable):
    """A stream of the application's that will be written into a pipe: in a plain tree, until it is sent.

    Attributes:
        chunks: an async iterable of values.
        codec: how a chunk travels.
        host: runs the application's code; needed only in a tree.
    """

    __slots__ = ("chunks", "codec", "host")

    def __init__(self, chunks: Any, codec: Codec, host: Host | None = None) -> None:
        super().__init__()
        self.chunks = chunks
        self.codec = codec
        self.host = host

    def give_up(self) -> None:
        """Closes it, as nobody will read it."""
        if self.host is not None:
            self.host.close(self)


class IncomingArgs(Protocol):
    """Arguments of a received call, not evaluated yet."""

    @property
    def size(self) -> int:
        """Bytes of the message in which they came."""
        ...

    def payload(self) -> Payload:
        """Evaluates them without knowledge of types. Raises ProtocolError if they are malformed."""
        ...

    def direct(self, codec: Codec) -> tuple[Any, list[Hook]]:
        """Decodes them in one pass: the value, and the capabilities in it, owned by the caller.

        Raises Mismatch, with nothing imported or started, where one pass is not enough: a promise among them, or a
        wrong type.
        """
        ...


class Uncopied:
    """Base of what refers to something elsewhere: a copy would be a reference that nobody counts.

    Attributes:
        _instead: what to do instead of copying, as it goes into a sentence.
    """

    __slots__ = ()

    _instead: ClassVar[str] = "leave it out of what is copied"

    def __reduce_ex__(self, protocol: object) -> NoReturn:  # what copy, deepcopy and pickle ask for
        raise TypeError(
            f"{type(self).__name__} cannot be copied or pickled, since what it refers to stays where it is: "
            f"{self._instead}"
        )


class Leaving(Protocol):
    """A call that is still to be sent.

    Attributes:
        sent_at: where in the outbox it begins; None as long as it was not put there.
        raw: settles once it is sent, or will not be.
    """

    sent_at: int | None
    raw: Cell[Hook]


class Hook(Uncopied):
    """One reference to something that can be called, read, mapped over or waited for.

    Abstract to type checkers. It does without `ABCMeta`, as `isinstance` against such a class costs four times as much,
    and every call asks a few times.
    """

    __slots__ = ()

    lasts: ClassVar[bool] = False
    """Whether it may outlast the session that it leads to: see `connecting.recipes`."""

    @property
    @abstractmethod
    def host(self) -> Host:
        """Who runs the application's code for this hook; a broken hook has none."""

    @property
    def home(self) -> Any:
        """The event loop on which it may be used; None if it may be anywhere."""
        return self.host.home

    @property
    def held(self) -> bool:
        """Whether the peer keeps something alive for this reference."""
        return False

    @property
    def made(self) -> Any:
        """How what it refers to came about, as a `tables.Made`; None where that is not known."""
        return None

    def known_to(self, session: object) -> int | None:
        """Id under which a session's peer knows what this stands for, where it is an import of that session's in
        disguise; otherwise None.
        """
        return None

    @property
    def waiting(self) -> Cell[Payload] | None:
        """What `pull` has given out and has not settled, where that is the same for everybody who pulls."""
        return None

    @property
    def leaving(self) -> Leaving | None:
        """The call of which this is the result, if something holds it back; None if it has been sent."""
        return None

    def let_go(self) -> None:
        """Says that this will be disposed because nobody asks for the result: the call is made all the same."""

    def backlog(self) -> Cell[None] | None:
        """Settles once there is room for another chunk of a stream on the way to the peer; None if there is now."""
        return None

    def full(self) -> Cell[None] | None:
        """Settles once more may wait to be sent to the peer, where as much waits as may; None if it may now."""
        return None

    @abstractmethod
    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        """Calls what is at the path.

        Parameters:
            path: where the function is, from here.
            args: the arguments; this method owns them, also when it raises.
            expect: codec of the result, if known: the result is then decoded once, when it arrives.

        Returns:
            A hook for the result, owned by the caller. A failing call gives a hook that carries the error.
        """

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        """Like `call`, for arguments as they stand in a message; hooks that know types override it to decode them in
        one pass.
        """
        return self.call(path, args.payload())

    def stream(self, path: Path, args: Payload) -> tuple[Cell[Payload], int | None]:
        """Calls for the effect only, as writes to a stream do.

        Returns:
            A cell that settles when the call is done, and the bytes of the message; None where it is done on this side.
        """
        result = self.call(path, args)
        done: Cell[Payload] = Cell()
        pulled = result.pull()
        if isinstance(pulled, Payload):
            done.resolve(pulled)
        else:
            pulled.then(done.resolve, done.reject)
        return done, None

    @abstractmethod
    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        """A hook, owned by the caller, for the value at the path; with an empty path, for a copy of the value
        itself.
        """

    @abstractmethod
    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        """Applies recorded instructions to the value at the path; this method owns the captures, also when it
        raises.
        """

    def map_idempotent(self, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None) -> Hook:
        """Like `map`, where all calls among the instructions may be made twice."""
        return self.map(path, captures, instructions, expect)

    @abstractmethod
    def dup(self) -> Hook:
        """A second reference, owned by the caller and disposed on its own."""

    @abstractmethod
    def pull(self) -> Payload | Cell[Payload]:
        """The value, now or later. The payload stays owned by the hook."""

    @abstractmethod
    def dispose(self) -> None:
        """Gives this reference up; safe to repeat."""

    @abstractmethod
    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """Calls back once if this reference breaks: its session ends, or the promise behind it is rejected."""

    def on_restored(self, callback: Callable[[], object]) -> None:
        """Calls back each time that another session has taken the place of the one that this was of, if one has."""


class Ref(Uncopied):
    """Base of stubs and promises: a hook inside a tree of values."""

    __slots__ = ("_hook",)

    _hook: Hook


class StubRef(Ref, Held):
    """A capability in a tree of values."""

    __slots__ = ()

    _instead = "dup() makes a second stub, to be disposed on its own"


class PromiseRef(Ref):
    """A promise in a tree of values; `_path` leads from what the hook resolves to to what the promise stands for."""

    __slots__ = ("_path",)

    _instead = "await it, and copy what it gives"
    _path: Path


def dispose_all(hooks: Sequence[Hook]) -> None:
    """Disposes each of the hooks."""
    for hook in hooks:
        hook.dispose()
