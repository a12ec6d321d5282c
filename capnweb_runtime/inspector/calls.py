"""Calls, as the messages of a session tell of them. Rule: nothing is asked of the session but what its objects are, and
what was not seen is not made up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container
from functools import lru_cache
from typing import Any, Final

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.interface import Arguments, Method, Property
from capnweb_runtime.debugging.typed import typed
from capnweb_runtime.inspector.names import LONGEST, Names, Thing, of_codec, parameters_of, result_of
from capnweb_runtime.inspector.redaction import HIDDEN, is_secret
from capnweb_runtime.inspector.schema.inspection import Call
from capnweb_runtime.inspector.words import Words, path_text
from capnweb_runtime.observe import printable

_MOST_USES: Final = 20
_MOST_OPEN: Final = 1_000
"""Calls of one session and direction whose end is waited for."""


Secrets = tuple[bool, frozenset[str]]
"""Whether a value is secret, and else the keys, at whatever depth, of what is secret in it."""
NO_SECRETS: Final[Secrets] = (False, frozenset())
ALL_SECRET: Final[Secrets] = (True, frozenset())


class Record:
    """A call that is followed.

    Attributes:
        call: what is shown of it.
        member: what is called, by the table; None if that is not known.
        began: by the clock of the loop.
        secrets: what is secret in what comes of it.
        asked: whether its result was asked for.
    """

    __slots__ = ("asked", "began", "call", "member", "secrets")

    def __init__(self, call: Call, member: Method | Property | None, began: float, secrets: Secrets) -> None:
        self.call = call
        self.member = member
        self.began = began
        self.secrets = secrets
        self.asked = False


class History:
    """The calls of all sessions that are remembered, in the order in which they have changed.

    Parameters:
        most: how many.

    Attributes:
        changes: how many there were.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self.changes = 0

    def changed(self, call: Call) -> None:
        """A call is new, or has changed."""
        self.changes += 1
        call.changed = self.changes
        self._calls[call.key] = call
        self._calls.move_to_end(call.key)
        if len(self._calls) > self._most:
            self._calls.popitem(last=False)

    def since(self, after: int, session: int | None, most: int) -> list[Call]:
        """Those that have changed, the newest at most; in the order of their changes.

        Parameters:
            after: the change after which.
            session: whose; None means all.
            most: how many.
        """
        found: list[Call] = []
        for call in reversed(self._calls.values()):
            if call.changed <= after or len(found) == most:
                break
            if session is None or call.session == session:
                found.append(call)
        return found[::-1]


class CallsOfSession:
    """Follows the calls of one session, in one direction.

    Parameters:
        number: of the session.
        served: whether they are the peer's.
        names: what is known of its objects.
        history: remembers the calls.
        words: makes what writes an expression of a message.
    """

    def __init__(self, number: int, served: bool, names: Names, history: History) -> None:
        self._number = number
        self._served = served
        self._names = names
        self._history = history
        self._open: OrderedDict[int, Record] = OrderedDict()

    def describe(self, call_id: int) -> str:
        """What a call is called; "" if it is not known."""
        record = self._open.get(call_id)
        return "" if record is None else record.call.name

    def begin(self, call_id: int, kind: str, wire: Any, at: float, moment: float, words: Words) -> Call:
        """A call is made.

        Parameters:
            call_id: its id.
            kind: of the message: "push", "stream" or "pipe".
            wire: the expression; None of a pipe.
            at: the time, by the clock of the loop.
            moment: the same, by that of the day.
            words: writes its arguments.
        """
        call = Call(
            key=f"{self._number}{'<' if self._served else '>'}{call_id}",
            changed=0,
            session=self._number,
            served=self._served,
            id=call_id,
            parent=None,
            uses=[],
            kind="pipe" if kind == "pipe" else "value",
            name="a stream" if kind == "pipe" else "a value",
            arguments="",
            began=moment,
            took=None,
            state="running" if kind == "stream" else "not awaited",
            outcome="",
        )
        member = None
        if type(wire) is list and len(wire) > 1 and wire[0] in ("pipeline", "remap") and type(wire[1]) is int:
            member = self._called(call, wire, words)
        if kind == "stream":
            call.kind = "write"
        record = self._open[call_id] = Record(call, member, at, self._secrets(member, wire))
        record.asked = kind == "stream"
        if len(self._open) > _MOST_OPEN:
            self._lose(self._open.popitem(last=False)[1])
        self._history.changed(call)
        return call

    def asked(self, call_id: int) -> None:
        """Somebody wants to have the result."""
        record = self._open.get(call_id)
        if record is not None and not record.asked:
            record.asked = True
            record.call.state = "running"
            self._history.changed(record.call)

    def end(self, call_id: int, failed: bool, wire: Any, at: float, words: Words) -> str:
        """There is a result, or an error; what is shown of it.

        Parameters:
            call_id: whose.
            failed: whether it is an error.
            wire: the expression.
            at: see `begin`.
            words: writes it.
        """
        record = self._open.pop(call_id, None)
        if record is None:  # it was made before anybody looked, and may be secret
            return words.value(wire) if failed else "…"
        codec = result_of(record.member)
        self._names.learn(self._served, wire, codec)
        secret, words.hidden = record.secrets
        secret = secret or (record.call.kind != "map" and _hides(record.call.name))
        outcome = HIDDEN if secret and not failed and wire is not None else words.value(wire)
        self._ended(record, "failed" if failed else "done", outcome, at)
        return outcome

    def released(self, call_id: int, at: float) -> None:
        """Nobody wants to have the result any more."""
        record = self._open.pop(call_id, None)
        if record is not None:
            self._ended(record, "given up" if record.asked else "released", "", at)

    def look(self, still: Container[int]) -> None:
        """Takes note of calls whose end was not seen.

        Parameters:
            still: the ids on the table.
        """
        for call_id in [call_id for call_id in self._open if call_id not in still]:
            self._lose(self._open.pop(call_id))

    def over(self) -> None:
        """The session has ended."""
        for record in self._open.values():
            record.call.state = "cut off"
            self._history.changed(record.call)
        self._open.clear()

    def _lose(self, record: Record) -> None:
        record.call.state = "end not seen"
        self._history.changed(record.call)

    def _ended(self, record: Record, state: str, outcome: str, at: float) -> None:
        call = record.call
        call.state, call.outcome = state, outcome
        if record.asked:  # else nobody was told when it ended
            call.took = max(0.0, (at - record.began) * 1000)
        self._history.changed(call)

    def _called(self, call: Call, wire: list[Any], words: Words) -> Method | Property | None:
        """Finds out what is called, and says it."""
        target = wire[1]
        path = wire[2] if len(wire) > 2 and type(wire[2]) is list else []
        thing, before = self._thing(target)
        if target > 0:
            call.parent = f"{call.key.rstrip('0123456789')}{target}"
        member = _member(thing, path)
        name = _name(thing, before, path, member)
        call.name = printable(name, 2 * LONGEST)
        if wire[0] == "remap":
            call.kind = "map"
            call.name = printable(f"{name}.map" if name else "map", 2 * LONGEST)
            steps = wire[4] if len(wire) > 4 and type(wire[4]) is list else []
            call.arguments = f"{len(steps)} steps for each"
            return None
        if len(wire) < 4:
            call.kind = "get"
            return member if len(path) == 1 else None
        call.kind = "call"
        self._take_arguments(call, member, wire[3], words)
        return member

    def _take_arguments(self, call: Call, member: Method | Property | None, args: Any, words: Words) -> None:
        if type(args) is not list or args[:1] == ["large"]:
            call.arguments = "…"
            return
        call.uses = _uses(args)
        known = parameters_of(member)
        if known is None:  # so that it is not known which of them are secret
            call.arguments = "" if not args else f"{len(args)} argument{'s' if len(args) > 1 else ''}"
            return
        names, codecs = known
        for wire, codec, name in zip(args, codecs, names, strict=False):
            self._names.learn(not self._served, wire, codec, name)
        params: Arguments = member.params  # type: ignore[union-attr,assignment]  # which are known
        rest = (params.variadic or params.positional[-1],) if params.variadic or params.positional else ()
        taken = [*params.positional, *rest * (len(args) - len(params.positional))]
        secrets = [secrets_of(param.codec, param.secret) for param in taken]
        words.hidden = frozenset[str]().union(*(hidden for _, hidden in secrets))
        for param in params.keyword:
            secret, hidden = secrets_of(param.codec, param.secret)
            words.hidden |= hidden | {param.wire} if secret else hidden
        call.arguments = words.arguments(args, names, [secret for secret, _ in secrets])

    def _secrets(self, member: Method | Property | None, wire: Any) -> Secrets:
        """What is secret in what comes of an expression; all of it, where that is not known."""
        if member is not None:
            return secrets_of(result_of(member), member.secret)
        if type(wire) is not list or len(wire) < 2 or wire[0] not in ("pipeline", "remap") or type(wire[1]) is not int:
            return NO_SECRETS
        path = wire[2] if len(wire) > 2 and type(wire[2]) is list else []
        if wire[1] > 0:
            made = self._open.get(wire[1])
            secret, hidden = ALL_SECRET if made is None else made.secrets
        else:
            entry = (self._thing(wire[1])[0].members or {}).get(path[0]) if path and type(path[0]) is str else None
            secret, hidden = NO_SECRETS if entry is None else secrets_of(result_of(entry[1]), entry[1].secret)
        built = wire[0] == "remap" and bool(hidden)  # what a map makes of it has keys of its own
        return secret or built or not hidden.isdisjoint(key for key in path if type(key) is str), hidden

    def _thing(self, target: int) -> tuple[Thing, str]:
        """What is called, and what stands before the path where that is not known."""
        if target <= 0:
            thing = self._names.thing(self._served, target)
            return thing, thing.name
        record = self._open.get(target)
        return (Thing(), f"#{target}") if record is None else (of_codec(result_of(record.member)), f"#{target}")


@lru_cache(maxsize=1024)
def secrets_of(codec: TypeCodec | None, declared: bool) -> Secrets:
    """What the schema says of a value: whether all of it is secret, and else the keys of what is in it.

    Parameters:
        codec: of the value; None if it is not known.
        declared: whether the parameter, result or property is declared to be secret.
    """
    said = typed(codec, declared)
    return said.secret, said.hidden


def _member(thing: Thing, path: list[Any]) -> Method | Property | None:
    if not path:
        return thing.method
    if thing.members is None or type(path[0]) is not str:
        return None
    entry = thing.members.get(path[0])
    return entry[1] if entry is not None and len(path) == 1 else None


def _name(thing: Thing, before: str, path: list[Any], member: Method | Property | None) -> str:
    if member is not None and path:
        return member.label
    rest = path_text(path, ".")
    return (thing.name or before) + rest if before or thing.name else rest[1:]


def _hides(name: str) -> bool:
    """Whether what comes of it is not shown: a secret by its name."""
    return is_secret(name.rpartition(".")[2])


def _uses(args: list[Any]) -> list[int]:
    """The calls whose results are among the arguments, as far as they stand at the surface."""
    found: list[int] = []
    for wire in args:
        items = wire[0] if type(wire) is list and len(wire) == 1 and type(wire[0]) is list else [wire]
        for item in items:
            is_result = type(item) is list and len(item) > 1 and item[0] == "pipeline" and type(item[1]) is int
            if is_result and item[1] > 0 and len(found) < _MOST_USES:
                found.append(item[1])
    return found
