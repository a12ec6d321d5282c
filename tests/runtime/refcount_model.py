"""Two tables and two queues, as an abstract model: who holds how many references of what. Rule: nothing of the
runtime is used in here.

A value is NOTHING (plain data or an error), OWN (an object of this side's), an `Entry` (a reference to something of the
peer's, of which the holder owns one local reference), or a list of entries.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

NOTHING: Final = "nothing"
OWN: Final = "own object"
PENDING: Final = "pending"
ITEMS: Final = 3
"""Length of the list that `three` returns."""


class Entry:
    """Something of the peer's: a capability (negative id) or a result (positive), or a promise that it resolves."""

    def __init__(self, number: int, *, promise: bool, pulled: bool = False) -> None:
        self.number = number
        self.promise = promise
        self.pulled = pulled
        self.local = 0
        self.remote = 1
        self.value: Any = PENDING
        self.waiting: list[int] = []  # exports whose answer is this one's


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

    # ---- what the application does

    def call(self, target: int, method: str, arg: Any = None) -> Entry:
        """Calls a method; the argument stays the caller's."""
        entry = self.imports[self.next_push] = Entry(self.next_push, promise=True)
        entry.local = 1
        self.out.append(("push", target, method, self._encode(arg)))
        self.next_push += 1
        return entry

    def pull(self, entry: Entry) -> None:
        if entry.value is PENDING and not entry.pulled:
            entry.pulled = True
            self.out.append(("pull", entry.number))

    def drop(self, value: Any) -> None:
        """Gives up one reference."""
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, Entry) and not self.closed:
                entry.local -= 1
                if entry.local == 0:
                    self._release(entry) if entry.value is PENDING else self.drop(entry.value)

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
        self.exports[self.next_call] = [1, self._run(self.exports[target][1], method, arg)]
        self.next_call += 1

    def _run(self, target: Any, method: str, wire: Any) -> Any:
        if isinstance(target, Entry):  # a result that is the caller's own, or is waited for: the call goes on there
            forwarded = target.value is PENDING
            return self.call(target.number, method) if forwarded else self._run(target.value, method, wire)
        arg = self._decode(wire)
        if method == "map":
            return [NOTHING] * ITEMS
        if target is OWN and method == "echo":
            return arg
        if target is OWN and method == "give" and self.kept:
            return self.kept.pop()
        if target is OWN and method == "keep":
            self.kept.append(arg)
        else:
            self.drop(arg)
        return OWN if target is OWN and method == "make" else NOTHING

    def _on_pull(self, number: int) -> None:
        self._answer(number)

    def _answer(self, number: int) -> None:
        if number not in self.exports:
            return
        value = self.exports[number][1]
        while isinstance(value, Entry) and value.promise:
            if value.value is PENDING:
                self.pull(value)
                value.waiting.append(number)
                return
            value = value.value
        wire = self._encode(value)
        self.out.append(("resolve", number, wire))
        if wire and wire[0] == "promises":
            self.out.extend(("resolve", promise, None) for promise in wire[1])

    def _on_resolve(self, number: int, wire: Any) -> None:
        value = self._decode(wire)
        entry = self.imports.get(number)
        if entry is None:
            self.drop(value)
            return
        entry.value = value
        self._release(entry)
        for waiting in entry.waiting:
            self._answer(waiting)

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
        if isinstance(value, list):
            return ("promises", [self._export(item) for item in value])
        return ("import", value.number) if isinstance(value, Entry) else None

    def _decode(self, wire: Any) -> Any:

        what: Any
        kind, what = wire or ("nothing", None)
        if kind == "promises":
            return [self._imported(number, promise=True) for number in what]
        if kind == "export":
            return self._imported(what, promise=False)
        return OWN if kind == "import" else NOTHING

    def _imported(self, number: int, *, promise: bool) -> Entry:
        entry = self.imports.get(number)
        if entry is None:
            entry = self.imports[number] = Entry(number, promise=promise, pulled=True)
        else:
            entry.remote += 1
        entry.local += 1
        return entry
