"""What two ends of this implementation tell each other of an object: of which interface it is. Rule: said only to a
peer that has agreed to it, and believed only where it makes a mistake plain.

    ["export", id, "Room", ["say", "title"]]      the first object of an interface: its name, and its members
    ["export", id, "Room"]                        every other one

Interfaces have no identity on the wire. Another name alone is therefore no mistake, since two programs may call the
same by two names; and neither is a member too few, since one of them may be older: what is refused is both.
"""

from __future__ import annotations

from typing import Any, Final

MOST: Final = 1000
"""Interfaces of a peer's that are remembered, and members of one."""
LONGEST: Final = 200
"""Characters of a name."""


class Interface:
    """An interface of the peer's.

    Attributes:
        name: its name.
        members: names of its members on the wire.
    """

    __slots__ = ("members", "name")

    def __init__(self, name: str, members: frozenset[str]) -> None:
        self.name = name
        self.members = members

    def mistake(self, target: Any) -> str | None:
        """What an object of it is, where it cannot be of the interface that is declared; None where it may be.

        Parameters:
            target: the class of targets of the declared interface, with `_rpc_interface` and `_rpc_members`.
        """
        if self.name == target._rpc_interface:
            return None
        missing = ", ".join(repr(member) for member in target._rpc_members if member not in self.members)
        return f"an object of the interface {self.name}, which has no {missing}" if missing else None


class Introductions:
    """What one session has said and heard of interfaces."""

    __slots__ = ("_heard", "_said")

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._heard: dict[str, Interface] = {}

    def of(self, target: Any) -> list[Any]:
        """What is put behind the id of an object; nothing if it is of no interface.

        Parameters:
            target: the object, or whatever else is exported.
        """
        name: str | None = getattr(target, "_rpc_interface", None)
        if name is None:
            return []
        if name in self._said:
            return [name]
        self._said.add(name)
        return [name, list(target._rpc_members)]

    def heard(self, said: list[Any]) -> Interface | None:
        """The interface of an object; None if nothing is known of it.

        Parameters:
            said: what stood behind the object's id.
        """
        name = said[0]
        if type(name) is not str or len(name) > LONGEST:
            return None
        known = self._heard.get(name)
        if (
            known is None
            and len(said) > 1
            and type(said[1]) is list
            and len(said[1]) <= MOST
            and len(self._heard) < MOST
        ):
            members = frozenset(member for member in said[1] if type(member) is str)
            known = self._heard[name] = Interface(name, members)
        return known
