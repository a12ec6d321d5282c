"""What a mapper function does, for people: its instructions, one behind the other. Rule: what may be secret in what one
of them gives is secret in the result.

    item -> $1 = AuthedApi.get_profile(item); $1.name
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from capnweb_runtime.core.hook import Path, Wire
from capnweb_runtime.core.interface import Method
from capnweb_runtime.debugging.preview import DEEPEST, Preview
from capnweb_runtime.debugging.records import LONGEST
from capnweb_runtime.debugging.tables import Known, Table, result_of
from capnweb_runtime.debugging.typed import SECRET, Typed

MOST_INSTRUCTIONS: Final = 1_000
"""Instructions that are looked at. Of a longer function nothing is shown, and all of its result is secret."""


class Mapper:
    """Shows one mapper function.

    Parameters:
        preview: where to show it.
        theirs: the table of what the receiver of the message has exported.
        ours: the table of what its sender exports with it.
    """

    def __init__(self, preview: Preview, theirs: Table, ours: Table) -> None:
        self._preview = preview
        self._theirs = theirs
        self._ours = ours

    def show(self, wire: list[Wire], subject: Known, path: Path, depth: int = 0) -> Known:
        """Shows the function.

        Parameters:
            wire: the expression of the map.
            subject: what the list is a part of that it is applied to.
            path: to the list.
            depth: how many functions it is in.

        Returns:
            What the list of results is.
        """
        member, behind, _ = subject.member(path)
        name = f"{subject.called(path)}.map"
        over = subject.type.at(path) if member is None else result_of(name, member, behind).type
        instructions = wire[4]
        if depth > DEEPEST or len(instructions) > MOST_INSTRUCTIONS:
            self._preview.put("…")
            return Known(name, SECRET)
        variables = self._variables(wire[3], replace(over.item(0), secret=over.secret))
        self._preview.put("item -> ")
        found = over
        inner = _InFunction(self._ours, variables, LONGEST)
        for index, instruction in enumerate(instructions, 1):
            is_last = index == len(instructions)
            inner.put("" if is_last else f"${index} = ")
            made = self._instruction(inner, instruction, variables, index, depth)
            inner.put("" if is_last else "; ")
            found = found.with_secrets_of(made.type)
            variables.add(index, made)
        self._preview.put(inner.text())
        return Known(name, Typed((), found.hidden, found.secret))

    def _variables(self, captures: list[Wire], item: Typed) -> Table:
        variables = Table(lambda _: None)
        variables.add(0, Known("item", item))
        for index, capture in enumerate(captures, 1):
            known = (self._theirs if capture[0] == "import" else self._ours).get(capture[1])
            variables.add(-index, known if known.name else replace(known, name=f"object #{capture[1]}"))
        return variables

    def _instruction(self, inner: Preview, wire: Wire, variables: Table, index: int, depth: int) -> Known:
        """Shows an instruction, and tells what it gives."""
        name = f"${index}"
        if type(wire) is list and len(wire) == 5 and wire[0] == "remap":
            subject = variables.get(wire[1])
            inner.put(f"{subject.called(tuple(wire[2]))}.map(")
            nested = Mapper(inner, variables, self._ours).show(wire, subject, tuple(wire[2]), depth + 1)
            inner.put(")")
            return replace(nested, name=name)
        inner.value(wire)
        return self._given(wire, variables, name)

    def _given(self, wire: Wire, variables: Table, name: str = "", depth: int = 0) -> Known:
        """What an expression gives: what a call or a path leads to, or something made of several of these."""
        if depth > DEEPEST:
            return Known(name, SECRET)
        if type(wire) is dict:
            parts = {key: self._given(item, variables, "", depth + 1).type for key, item in wire.items()}
            hidden = {key for key, part in parts.items() if part.secret}.union(*(one.hidden for one in parts.values()))
            return Known(name, Typed((), frozenset(hidden)))
        if type(wire) is list and len(wire) == 1 and type(wire[0]) is list:
            found = Typed()
            for item in wire[0]:
                found = found.with_secrets_of(self._given(item, variables, "", depth + 1).type)
            return Known(name, found)
        if type(wire) is not list or not wire or wire[0] not in ("pipeline", "import"):
            return Known(name)
        known = variables.get(wire[1])
        path = tuple(wire[2]) if len(wire) > 2 else ()
        member, behind, _ = known.member(path)
        if member is None or (isinstance(member, Method) and not path and len(wire) < 4):
            return Known(name, known.type.at(path))
        return result_of(name, member, behind)


class _InFunction(Preview):
    """Shows values in an instruction, in which ids are those of variables."""

    def _reference(self, name: str, wire_id: object) -> None:
        self.put(name or f"${wire_id}")
