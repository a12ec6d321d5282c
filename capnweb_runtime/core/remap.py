"""`map()`: the recorder turns a function into instructions, the replayer applies them to values. Rule: a mapper has
no side effects of its own.

The recorder is an exporter: whatever the function touches outside becomes a capture. The replayer is an importer: id 0
is the element, positive ids are the results of earlier instructions, negative ones the captures. Source: protocol,
"remap".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NoReturn

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.attachments import NO_ATTACHMENTS
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell, behind_what_is_due
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.held import NOTHING
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload, PromiseRef, Wire, dispose_all
from capnweb_runtime.core.payload import branch, encode_arguments, encode_payload
from capnweb_runtime.core.pipe import Readable
from capnweb_runtime.core.raises import Raises
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.values import UNDEFINED

_NO_NEW_CAPABILITIES: Final = (
    "{function} cannot pass a new target or callback: it runs elsewhere. "
    "Make a stub outside of the function and use that inside"
)
WORK_PER_STEP: Final = 4
"""Units of work that a step of a map takes, about."""
_NO_SIDE_EFFECTS: Final = (
    "a mapper's placeholder stands for values that are elsewhere: inside map() it can only be read, called and returned"
)


class Recorder:
    """Records what a mapper function does, as instructions. An exporter for the values in them.

    Parameters:
        parent: the recorder of the mapper function in which this one is called, if any.

    Attributes:
        in_plan: whether it is a plan's, in which there is more that can be recorded.
        function: what errors call the function.
    """

    in_plan = False
    function = "a mapper function"
    depth = 1
    introductions = None
    local = False
    raw_bytes = False

    def mark(self) -> int:
        """Nothing is ever exported."""
        return 0

    def take_back(self, mark: int) -> None:
        """Nothing is ever exported."""

    def create_pipe(self, source: Readable) -> int:
        """Refused, as in the reference."""
        raise TypeError(f"Cannot send ReadableStream inside {self.function}.")

    @property
    def host(self) -> Host:
        """Refused: what a host would run is new here, and a mapper runs elsewhere."""
        raise TypeError(_NO_NEW_CAPABILITIES.format(function=self.function))

    def __init__(self, parent: Recorder | None = None) -> None:
        self.parent = parent
        self.account = Account(DEFAULT_LIMITS)
        self.captures: list[Hook] = []
        self.instructions: list[Wire] = []
        self.raises: Raises | None = None  # what the recorded calls declare
        self.idempotent = True  # whether all of them may be made twice

    def placeholder(self) -> Hook:
        """The hook of the element to which the function is applied."""
        return Variable(self, 0)

    def index_of(self, hook: Hook) -> int:
        """Index of a hook: of a variable of this mapper, or of a new capture."""
        if isinstance(hook, Variable) and hook.recorder is self:
            return hook.index
        self.captures.append(hook if isinstance(hook, Variable) else hook.dup())
        return -len(self.captures)

    def call(self, hook: Hook, path: Path, args: Payload) -> Hook:
        """Records a call and returns the variable of its result; the arguments are disposed."""
        self.idempotent = self.idempotent and getattr(args.codec, "idempotent", False)
        try:
            wire = encode_arguments(args, self)
        finally:
            args.dispose()
        self.instructions.append(["pipeline", self.index_of(hook), list(path), wire])
        return Variable(self, len(self.instructions))

    def get(self, hook: Hook, path: Path) -> Hook:
        """Records reading a property and returns its variable."""
        self.instructions.append(["pipeline", self.index_of(hook), list(path)])
        return Variable(self, len(self.instructions))

    def finish(self, subject: Hook, path: Path, result: Payload, expect: Codec | None) -> Hook:
        """Records what the function returned and applies all of it to the subject.

        Parameters:
            subject: what the function is mapped over.
            path: from the subject to the value.
            result: what the function returned.
            expect: codec of the mapped value.

        Returns:
            A hook for the mapped value, owned by the caller.
        """
        self.instructions.append(encode_payload(result, self))
        if self.parent is None:
            apply = subject.map_idempotent if self.idempotent else subject.map
            return apply(path, self.captures, self.instructions, expect)
        self.parent.idempotent = self.parent.idempotent and self.idempotent
        captures = [["import", self.parent.index_of(hook)] for hook in self.captures]
        dispose_all(self.captures)  # the parent has duplicates of its own
        self.parent.instructions.append(
            ["remap", self.parent.index_of(subject), list(path), captures, self.instructions]
        )
        return Variable(self.parent, len(self.parent.instructions))

    def import_id(self, hook: Hook) -> int | None:
        """Index under which the instructions know the hook; every hook can be captured."""
        return self.index_of(hook)

    def export_stub(self, hook: Hook) -> int:
        """Refused: a mapper runs where the values are."""
        raise TypeError(_NO_NEW_CAPABILITIES.format(function=self.function))

    def export_promise(self, hook: Hook) -> int:
        """Refused: a mapper runs where the values are."""
        raise TypeError(_NO_NEW_CAPABILITIES.format(function=self.function))

    def error_to_send(self, error: BaseException) -> BaseException:
        """The error itself."""
        return error

    def discloses(self, error: BaseException) -> bool:
        """See `Exporter.discloses`: nothing is sent from here."""
        return True


class Variable(Hook):
    """A placeholder inside a mapper function; only its recorder can do anything with it."""

    __slots__ = ("index", "recorder")

    def __init__(self, recorder: Recorder, index: int) -> None:
        self.recorder = recorder
        self.index = index

    @property
    def host(self) -> Host:
        return self.recorder.host

    @property
    def home(self) -> None:
        return None

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        args.dispose()
        return ErrorHook(TypeError(_NO_SIDE_EFFECTS))

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self if not path else self.recorder.get(self, path)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        dispose_all(captures)
        return ErrorHook(TypeError(_NO_SIDE_EFFECTS))

    def dup(self) -> Hook:
        return self

    def pull(self) -> Payload | Cell[Payload]:
        raise TypeError(_NO_SIDE_EFFECTS)

    def dispose(self) -> None:
        pass

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        raise TypeError(_NO_SIDE_EFFECTS)


class Replayer:
    """Applies recorded instructions to one element. An importer for the ids in them."""

    introductions = None
    begin_plan = None

    def __init__(self, host: Host, captures: list[Hook], element: Hook, budget: Budget, depth: int = 0) -> None:
        self.host = host
        self._depth = depth
        self._budget = budget
        self.limits = DEFAULT_LIMITS
        self.message_bytes = 0
        self.attachments = NO_ATTACHMENTS
        self._captures = captures
        self._variables = [element]

    def apply(
        self, instructions: list[Wire], wrap: Callable[[Payload], Hook], pauses: Callable[[], bool] | None = None
    ) -> Payload | None:
        """The payload of the last instruction; the variables before it are disposed.

        Parameters:
            instructions: as recorded.
            wrap: see `replay`.
            pauses: asked behind each but the last whether the rest is left for later: then the result is None, and the
                next call goes on. Not asked once something is a promise: what has been asked of it is to be done before
                it is disposed, and would be behind the rest.
        """
        try:
            for index in range(len(self._variables) - 1, len(instructions) - 1):
                payload = Evaluator(self, self._depth).payload(instructions[index])
                self._variables.append(wrap(payload))
                if payload.promises:
                    pauses = None
                if pauses is not None and pauses():
                    return None
            payload = Evaluator(self, self._depth).payload(instructions[-1])
        except BaseException:
            dispose_all(self._variables)
            raise
        dispose_all(self._variables)
        return payload

    def own_export(self, export_id: int) -> Hook:
        """The capture or variable of that index."""
        table = self._captures if export_id < 0 else self._variables
        index = -export_id - 1 if export_id < 0 else export_id
        if index >= len(table) or index != int(index):
            raise ProtocolError(f"no such entry on exports table: {export_id}")
        return table[int(index)]

    def import_stub(self, import_id: int) -> NoReturn:
        """Refused, as in the reference."""
        raise ProtocolError("A mapper function cannot refer to exports.")

    def import_promise(self, import_id: int) -> NoReturn:
        """Refused, as in the reference."""
        raise ProtocolError("A mapper function cannot refer to exports.")

    def take_readable(self, export_id: int) -> NoReturn:
        """Refused, as in the reference."""
        raise ProtocolError("A mapper function cannot use pipe readables.")

    def map_budget(self) -> Budget:
        """What is left for this map is what its nested ones may spend."""
        return self._budget

    def forget(self, hook: Hook) -> None:
        """Nothing is ever imported."""


def default_budget() -> Budget:
    """The budget of a map that no session bounds."""
    return Budget(DEFAULT_LIMITS.map_steps)


def replay(
    value: Any,
    captures: list[Hook],
    instructions: list[Wire],
    budget: Budget,
    host: Host,
    wrap: Callable[[Payload], Hook],
    holds_any: bool = True,
    counted: Any = None,
) -> Payload | Cell[Payload]:
    """Applies recorded instructions to a plain value: to each element of a list, once to anything else; None and
    undefined pass through.

    Parameters:
        value: the plain tree mapped over; it stays as it is.
        captures: capabilities that the instructions use; disposed at the end.
        instructions: as recorded; the last one is the result.
        budget: what this map and those nested in it may spend.
        host: the application's host.
        wrap: makes a hook over a payload, which it owns.
        holds_any: see `branch`.
        counted: what the value counts for; the result may share it.

    Returns:
        The result, or, where others are to go first, a cell that settles with it.

    Raises:
        ProtocolError: the instructions are malformed.
        LimitExceeded: they expand to too many steps, or there is no room for what they make.
    """
    if value is None or value is UNDEFINED:
        dispose_all(captures)
        return Payload(value)
    replaying = _Replaying(value, captures, instructions, budget, host, wrap, holds_any, counted)
    return replaying.start(len(value) if type(value) is list else 1)


class _Replaying:
    """A map that is being applied, element by element: after any of them others may go first, and between the literals
    of one.
    """

    def __init__(
        self,
        value: Any,
        captures: list[Hook],
        instructions: list[Wire],
        budget: Budget,
        host: Host,
        wrap: Callable[[Payload], Hook],
        holds_any: bool,
        counted: Any,
    ) -> None:
        self._is_list = type(value) is list
        self._elements: Iterator[Any] = iter(value if self._is_list else (value,))
        self._captures = captures
        self._instructions = instructions
        self._budget = budget
        self._depth = budget.depth
        self._host = host
        self._wrap = wrap
        self._holds_any = holds_any
        self._source = counted
        self._counted: list[Any] = [counted] if counted else []
        # The result as it grows: a payload for each element would take many times what is in it.
        self._items: list[Any] = []
        self._hooks: list[Hook] = []
        self._promises: list[tuple[Any, Any, PromiseRef]] = []
        self._steps, self._made = budget.for_each(instructions)
        self._begun: Replayer | None = None  # of the element in which it has paused
        self._cell: Cell[Payload] = Cell()  # if some of it is put off

    def start(self, count: int) -> Payload | Cell[Payload]:
        """Applies the instructions; see `replay`.

        Parameters:
            count: how many elements there are.
        """
        try:
            if not self._instructions:
                raise ProtocolError("Invalid empty mapper function.")
            self._budget.take(count * self._steps)
            made = self._host.held.count(count * self._made)
            if made is not None:
                self._counted.append(made)
        except BaseException:
            dispose_all(self._captures)
            raise
        result = self._host.mapping(self._work) if self._host.attends else self._work()
        return self._cell if result is None else result

    def _work(self) -> Payload | None:
        """Applies the instructions to the elements that are left; None if some of them have been put off."""
        account = self._host.account
        pauses = None if len(self._instructions) == 1 else self._pauses
        try:
            while (replayer := self._begun or self._next()) is not None:
                self._begun = None
                if account.between:
                    payload = account.as_one(replayer.apply, self._instructions, self._wrap, pauses)
                else:
                    payload = replayer.apply(self._instructions, self._wrap, pauses)
                if payload is None:
                    self._begun = replayer
                    self._put_off()
                    return None
                self._add(payload)
                if self._is_over(self._steps - len(self._instructions) + 1):
                    self._put_off()
                    return None
        except BaseException:
            dispose_all(self._hooks)
            dispose_all(self._captures)
            raise
        dispose_all(self._captures)
        return self._result()

    def _next(self) -> Replayer | None:
        """What applies the instructions to the next element, if there is one."""
        for element in self._elements:
            part = branch(element, self._host, self._holds_any)
            if part.counted is None:
                part.counted = self._source or NOTHING
            return Replayer(self._host, self._captures, self._wrap(part), self._budget, self._depth)
        return None

    def _pauses(self) -> bool:
        return self._is_over(1)

    def _is_over(self, steps: int) -> bool:
        """Charges steps that have been made. Returns whether others are to go first."""
        account = self._host.account
        account.spent += steps * WORK_PER_STEP
        return account.spent > account.look_sooner and account.is_over_for_long_work()

    def _put_off(self) -> None:
        """Has what is left done when others have had their turns."""
        carried = self._host.carried
        go_on = self._go_on if carried is None else partial(self._host.within, carried, self._go_on)
        behind_what_is_due(self._host.put_off, go_on)

    def _add(self, payload: Payload) -> None:
        """Takes over the result of an element."""
        items = self._items
        for container, key, promise in payload.promises or ():
            self._promises.append((items, len(items), promise) if container is None else (container, key, promise))
        self._hooks += payload.hooks or ()
        items.append(payload.value)
        if payload.counted and payload.counted is not self._source:
            self._counted.append(payload.counted)

    def _result(self) -> Payload:
        """One payload with all results, owning what they owned."""
        hooks, promises = self._hooks or None, self._promises or None
        if self._is_list:
            result = Payload(self._items, None, hooks, promises)
        else:
            if promises is not None:
                promises = [(None, None, at[2]) if at[0] is self._items else at for at in promises]
            result = Payload(self._items[0], None, hooks, promises)
        result.counted = self._counted or NOTHING
        return result

    def _go_on(self) -> None:
        try:
            result = self._work()
        except Exception as error:  # an error in one element rejects the whole
            self._cell.reject(error)
            return
        if result is not None:
            self._cell.resolve(result)
