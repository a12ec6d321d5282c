"""What is still to be compared: pairs of models, interfaces and functions that types lead to.

Rule: a pair is compared once for each way that its values go.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from capnweb_gen import ir
from capnweb_gen.evolution.findings import Where
from capnweb_gen.evolution.sides import Owned


@dataclass(frozen=True)
class Models:
    """Two models of values that go one way."""

    old: Owned[ir.Model]
    new: Owned[ir.Model]
    up: bool
    under: str = ""


@dataclass(frozen=True)
class Interfaces:
    """Two interfaces, and who has what is called: clients, or servers."""

    old: Owned[ir.Interface]
    new: Owned[ir.Interface]
    by_clients: bool


@dataclass(frozen=True)
class Functions:
    """Two functions that are passed, as methods whose names mean nothing, and where."""

    old: ir.Method
    old_schema: ir.Schema
    new: ir.Method
    new_schema: ir.Schema
    where: Where
    by_clients: bool


Pair = Models | Interfaces | Functions


class Work:
    """The pairs that wait, and those that were there."""

    def __init__(self) -> None:
        self._waiting: deque[Pair] = deque()
        self._seen: set[object] = set()
        self._interfaces: set[int] = set()

    def add(self, pair: Pair) -> None:
        """Let two be compared, unless they were."""
        key = _key(pair)
        if key not in self._seen:
            self._seen.add(key)
            self._waiting.append(pair)
            self._interfaces |= {id(pair.old.node)} if isinstance(pair, Interfaces) else set()

    def has_seen(self, interface: ir.Interface) -> bool:
        """Whether an interface of then was compared, or will be."""
        return id(interface) in self._interfaces

    def next(self) -> Pair | None:
        """One that waits; None if there is none left."""
        return self._waiting.popleft() if self._waiting else None


def _key(pair: Pair) -> object:
    match pair:
        case Models(old, new, up, under):
            return "models", id(old.node), id(new.node), up, under
        case Interfaces(old, new, by_clients):
            return "interfaces", id(old.node), id(new.node), by_clients
        case Functions(old, _, new, _, where, by_clients):
            return "functions", repr(old), repr(new), where.path, by_clients
