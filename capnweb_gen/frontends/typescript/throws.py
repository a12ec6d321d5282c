"""What comments say that a method throws: from `@throws` to the exceptions that it declares.

Rule: an exception is one that extends Error, and is declared in what is read. What every method may throw, and what is
said in words alone, stays in the docstring, and is told.
"""

from __future__ import annotations

from collections.abc import Callable

from capnweb_gen import ir
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.decisions import Notes
from capnweb_gen.frontends.typescript.evaluate import Slot, Types
from capnweb_gen.frontends.typescript.known import ERRORS
from capnweb_gen.frontends.typescript.scope import Builtin, Closure, Declared, RefusedTypeError


class ThrowsReader:
    """Reads `@throws`. `named` describes an exception, once, and gives the reference to it."""

    def __init__(self, types: Types, notes: Notes, named: Callable[[Declared], ir.Reference]) -> None:
        self._types = types
        self._notes = notes
        self._named = named

    def of(self, slot: Slot) -> tuple[ir.Reference, ...]:
        """The exceptions that a member declares, each once."""
        found = (self._raised(slot, thrown) for thrown in slot.doc.throws)
        return tuple(dict.fromkeys(reference for reference in found if reference is not None))

    def _raised(self, slot: Slot, thrown: nodes.Thrown) -> ir.Reference | None:
        declared = self._error(Closure(nodes.Named(slot.position, thrown.name), slot.env))
        if isinstance(declared, Declared):
            return self._named(declared)
        what = slot.name or "this function"
        if declared is not None:
            text = f"{what} throws {declared.name}, which any method may, so that it is not declared"
        elif thrown.is_type:
            text = f"{what} throws {thrown.name}, which is not declared as what extends Error, and left out"
        else:
            text = f"what {what} throws is said in words, and left to its docstring; @throws {{Name}} declares it"
        self._notes.decide(slot.env.file, slot.position, text)
        return None

    def _error(self, closure: Closure) -> Declared | Builtin | None:
        """What a name means, if that is an exception."""
        try:
            head = self._types.head(closure)
            if isinstance(head, Builtin):
                return head if head.name in ERRORS else None
            view = self._types.view(closure) if isinstance(head, Declared) else None
        except RefusedTypeError:
            return None
        return head if isinstance(head, Declared) and view is not None and view.is_error else None
