"""Reading one callback protocol that has a signature of its own: its class and its source, to the IR.

Rule: its `__call__` is read as a method is, but for its names, of which a function has none on the wire.
"""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.frontends.python.interfaces import InterfaceReader
from capnweb_gen.frontends.python.raising import WIRE_NAME_ATTRIBUTE
from capnweb_gen.frontends.python.shapes import Notes
from capnweb_gen.frontends.python.source import ClassSource, FunctionSource


class CallbackReader(InterfaceReader):
    """Reads the callbacks of one file. Faults are added to `faults`."""

    def callback(self, protocol: type, source: ClassSource) -> ir.Callback:
        """Describe one callback."""
        return ir.Callback(
            name=protocol.__name__,
            doc=source.doc,
            deprecated=self._deprecation(protocol.__name__, source),
            call=self._call(protocol, source),
            position=source.position,
        )

    def _call(self, protocol: type, source: ClassSource) -> ir.Method:
        """Its `__call__`; one that takes and gives nothing where that is refused."""
        case, name = self._case_of(protocol, source), protocol.__name__
        call = ir.Method(name="__call__", wire="", result=ir.Scalar(name="none"), position=source.position)
        written = [one for one in source.body if isinstance(one, FunctionSource) and one.name == "__call__"]
        for entry in written:
            member = self._member(protocol, entry, case, entry is not written[0])
            if isinstance(member, ir.Property):
                self._fault(entry.position, f"{name}.__call__ is a property", "leave @property out")
            elif member is not None:
                call = member.model_copy(update={"wire": ""})
        if not written:
            hint = "write def __call__(self, ...) -> ...: ... in the class"
            self._fault(source.position, f"{name}.__call__ is not written as a method", hint)
        if hasattr(vars(protocol)["__call__"], WIRE_NAME_ATTRIBUTE):
            self._fault(call.position, f"{name} has no name on the wire", "leave @wire_name out: it is a function")
        return call

    def _result(self, source: FunctionSource, notes: Notes) -> ir.TypeShape:
        if source.returns is None:
            return super()._result(source, notes)
        return self._shapes.noting(notes).awaited_from_text(source.returns.text, source.returns.position)
