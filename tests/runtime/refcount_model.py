"""Two tables and two queues, as an abstract model: who holds how many references of what. Rule: nothing of the
runtime is used in here.

A value is NOTHING or another piece of plain data, FAILED (an error), OWN (an object of this side's), an `Entry` (a
reference to something of the peer's, of which the holder owns one local reference), a `Later` (what a plan will come
to), or a list of values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tests.runtime.refcount_plans import FAILED, NOTHING, NUMBER, PENDING, Failed, Later, Scope, Values, settled

OWN: Final = "own object"
ITEMS: Final = 3
"""Length of the list that `three` returns."""


class Promises(Values):
    """What a map has come to: values that travel as promises, unless somebody has asked what they resolve to."""

    resolved = False


class Entry:
    """Something of the peer's: a capability (negative id) or a result (positive), or a promise that it resolves."""

    def __init__(self, number: int, *, promise: bool, pulled: bool = False) -> None:
        self.number = number
        self.promise = promise
        self.pulled = pulled
        self.local = 0
        self.remote = 1
        self.value: Any = PENDING
        self.later = False  # whether it depends on a plan
        self.gives = ""  # the method that was called, of a result
        self.waiting: list[Callable[[], None]] = []  # what goes on once it has resolved


class Model:
    """One side."""

    def __init__(self) -> None:
        self.exports: dict[int, list[Any]] = {0: [1, OWN]}  # id → references, value
        self.imports: dict[int, Entry] = {0: Entry(0, promise=False)}
        self.imports[0].local = 1
        self.out: deque[Any] = deque()
        self.kept: list[Any] = []  # by the methods of this side's objects
        self.next_push = self.next_call = 1
        self.next_export = -1
        self.closed = False
        self._due: deque[Callable[[], None]] = deque()
        self._calling_back = False

    # ---- what the application does

    def call(self, target: int, method: str, arg: Any = None) -> Entry:
        """Calls a method; the argument stays the caller's."""
        entry = self.imports[self.next_push] = Entry(self.next_push, promise=True)
        entry.local = 1
        self.out.append(("push", target, method, self._encode(arg)))
        self.next_push += 1
        target_entry = self.imports.get(target)
        entry.later = target_entry is not None and target_entry.later
        entry.gives = method
        return entry

    def plan(self, captures: list[Any], instructions: list[Any]) -> Entry:
        """Sends a plan, applied to the main object; the captures stay the caller's."""
        entry = self.imports[self.next_push] = Entry(self.next_push, promise=True)
        entry.local = 1
        entry.later = True
        self.out.append(("push", 0, "plan", ([self._capture(value) for value in captures], instructions)))
        self.next_push += 1
        return entry

    def _capture(self, value: Any) -> Any:
        if isinstance(value, Entry) and value.value is PENDING:
            return ("import", value.number)
        if isinstance(value, Entry):
            value.local += 1  # the promise itself is exported, which has resolved
        return ("export", self._export(value))

    def pull(self, entry: Entry) -> None:
        if entry.value is PENDING and not entry.pulled:
            entry.pulled = True
            self.out.append(("pull", entry.number))

    def drop(self, value: Any) -> None:
        """Gives up one reference."""
        if isinstance(value, Values):
            value.owners -= 1
            for item in () if value.owners else value:
                self.drop(item)
        elif isinstance(value, Later):
            self._give_up(value)
        elif isinstance(value, Entry) and not self.closed:
            value.local -= 1
            if value.local == 0:
                self._release(value) if value.value is PENDING else self.drop(value.value)

    def dup(self, value: Any) -> Any:
        """One more reference to what a value is by now: a list has one more owner, and what is in it is shared."""
        value = settled(value)
        if isinstance(value, Promises):
            value.resolved = True
        if isinstance(value, Values):
            value.owners += 1
        elif isinstance(value, Entry):
            value.local += 1
        return value

    def copy(self, value: Any) -> Any:
        """The same of a part of a list, or of a list that nobody owns: it has references of its own."""
        value = settled(value)
        return Values(map(self.copy, value)) if isinstance(value, list) else self.dup(value)

    def _release(self, entry: Entry) -> None:
        del self.imports[entry.number]
        self.out.append(("release", entry.number, entry.remote))

    def abort(self, *, notify: bool = True) -> None:
        if not self.closed:
            self.closed = True
            self.exports, self.imports = {}, {}
            if notify:
                self.out.append(("abort",))

    # ---- what a message does

    def receive(self, message: Any) -> None:
        kind, *rest = message
        if not self.closed:
            getattr(self, f"_on_{kind}")(*rest)

    def _on_push(self, target: int, method: str, arg: Any) -> None:
        number = self.next_call
        self.next_call += 1
        self.exports[number] = [1, PENDING]
        if method == "plan":
            result = self._begin([self._captured(wire) for wire in arg[0]], arg[1])
        else:
            result = self.run(self.exports[target][1], method, None if arg is None else self._decode(arg))
        self.exports[number][1] = result

    def run(self, target: Any, method: str, arg: Any) -> Any:
        """What a call gives, owned by the caller; owns the argument."""
        target = settled(target)
        if isinstance(target, Later):
            return self._run_later(target, method, arg)
        if isinstance(target, Entry):  # a result that is the caller's own, or is waited for: the call goes on there
            entry = self.call(target.number, method, arg)
            self.drop(arg)
            return entry
        if method == "map":
            return Promises([NOTHING] * ITEMS)
        if target is not OWN or (method in ("echo", "ignore", "keep") and not _is_capability(arg)):
            self.drop(arg)
            return FAILED
        if method == "echo":
            return arg
        if method == "give":
            return self.kept.pop() if self.kept else FAILED
        if method == "keep":
            self.kept.append(arg)
        else:
            self.drop(arg)
        return {"make": OWN, "three": Values([NUMBER] * ITEMS), "two": Values([OWN, OWN])}.get(method, NOTHING)

    # ---- plans

    def dup_promise(self, value: Any) -> Any:
        """The same, of what is named as a promise, so that it is asked what it resolves to."""
        if isinstance(value, Entry):
            value.promise = True
        return self.dup(value)

    def _captured(self, wire: Any) -> Any:
        kind, number = wire
        return self._imported(number, promise=False) if kind == "export" else self.dup(self.exports[number][1])

    def _begin(self, captures: list[Any], instructions: list[Any]) -> Any:
        plan = Later()
        plan.holds = captures
        plan.work = Scope(self, captures, OWN, headers=1).block(instructions[1:])
        self._go_on(plan)
        return plan

    def _go_on(self, plan: Later) -> None:
        if plan.work is None or self.closed:
            return
        try:
            waits_for = next(plan.work)
        except StopIteration as end:
            self._end(plan, end.value)
        except Failed:
            self._end(plan, FAILED)
        else:
            waits_for.waiting.append(partial(self._go_on, plan))

    def _end(self, later: Later, value: Any) -> None:
        later.work = None
        for held in later.holds:
            self.drop(held)
        later.value = value
        waiting, later.waiting = later.waiting, []
        if later.dropped:
            waiting.append(partial(self.drop, value))
        self._call_back(waiting)

    def _call_back(self, waiting: list[Callable[[], None]]) -> None:
        """Goes on with what has waited: after all that has been able to go on before, and never within it."""
        self._due += waiting
        if not self._calling_back:
            self._calling_back = True
            while self._due:
                self._due.popleft()()
            self._calling_back = False

    def _give_up(self, later: Later) -> None:
        later.dropped = True
        if later.value is not PENDING:
            self.drop(later.value)
        elif later.work is not None and later.asked and not later.needed and not self.closed:
            work, later.work = later.work, None
            work.close()
            self._end(later, FAILED)

    def _run_later(self, target: Later, method: str, arg: Any) -> Any:
        if target.value is not PENDING:
            return self.run(target.value, method, arg)
        target.needed = True
        result = Later()
        target.waiting.append(lambda: self._end(result, self.run(target.value, method, arg)))
        return result

    def _on_pull(self, number: int) -> None:
        self._answer(number)

    def _answer(self, number: int) -> None:
        if number in self.exports:
            self._answer_with(number, self.exports[number][1])

    def _answer_with(self, number: int, value: Any) -> None:
        """What has been asked for is asked for in turn, even if it has been released by the time that it is known."""
        value = settled(value)
        while isinstance(value, Later) and value.value is not PENDING:
            value = settled(value.value)
        if isinstance(value, Later):
            value.asked = True
            value.waiting.append(partial(self._answer_with, number, value))
            return
        if isinstance(value, Entry) and value.promise:
            self.pull(value)
            value.waiting.append(partial(self._answer_with, number, value))
            return
        if number not in self.exports:
            return
        if value is FAILED:
            self.out.append(("reject", number))
            return
        wire = self._encode(value)
        self.out.append(("resolve", number, wire))
        if wire and wire[0] == "promises":
            self.out.extend(("resolve", promise, None) for promise in wire[1])

    def _on_resolve(self, number: int, wire: Any) -> None:
        self._resolved(number, self._decode(wire))

    def _on_reject(self, number: int) -> None:
        self._resolved(number, FAILED)

    def _resolved(self, number: int, value: Any) -> None:
        entry = self.imports.get(number)
        if entry is None:
            self.drop(value)
            return
        entry.value = value
        self._release(entry)
        self._call_back(entry.waiting)

    def _on_release(self, number: int, count: int) -> None:
        export = self.exports[number]
        export[0] -= count
        if export[0] == 0:
            del self.exports[number]
            self.drop(export[1])

    def _on_abort(self) -> None:
        self.abort(notify=False)

    # ---- capabilities in messages

    def _export(self, value: Any) -> int:
        number = self.next_export
        self.next_export -= 1
        self.exports[number] = [1, value]
        return number

    def _encode(self, value: Any) -> Any:
        if value is OWN:
            return ("export", self._export(OWN))
        value = settled(value)
        if isinstance(value, Promises) and not value.resolved:
            return ("promises", [self._export(item) for item in value])
        if isinstance(value, list):
            return ("list", [self._encode(item) for item in value])
        return ("import", value.number) if isinstance(value, Entry) else None

    def _decode(self, wire: Any) -> Any:
        what: Any
        kind, what = wire or ("nothing", None)
        if kind == "promises":
            return Values(self._imported(number, promise=True) for number in what)
        if kind == "list":
            return Values(map(self._decode, what))
        if kind == "export":
            return self._imported(what, promise=False)
        return OWN if kind == "import" else NOTHING

    def _imported(self, number: int, *, promise: bool) -> Entry:
        entry = self.imports.get(number)
        if entry is None:
            entry = self.imports[number] = Entry(number, promise=promise, pulled=promise)
        else:
            entry.remote += 1
        entry.local += 1
        return entry


def _is_capability(value: Any) -> bool:
    return value is OWN or isinstance(value, Entry)
