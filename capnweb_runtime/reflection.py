"""What the interfaces of generated code say, at run time: the IR that `capnweb-gen --reflection` writes beside each
module. Rule: nothing of it is imported before somebody asks, and nobody is told of an interface that cannot be reached
from the one that was asked about.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import resolve_name
from typing import Any, Final, NamedTuple

from capnweb_runtime.core.interface import Interface
from capnweb_runtime.objects.stale import command_of
from capnweb_runtime.objects.stub import Calls
from capnweb_runtime.objects.target import RpcTarget

__all__ = ["ir_of"]

_SUFFIX: Final = "_ir"
_FORMAT: Final = 1


class _Generated(NamedTuple):
    """An interface: the generated module that has its classes, and its name in the schema."""

    module: str
    name: str


def ir_of(described: object) -> dict[str, Any]:
    """Describes the interfaces that an object or class implements, as data (the compiler's IR): for tools that look at
    a server at run time. It needs code that was compiled with `--reflection`.

    Parameters:
        described: a target, a stub or a promise, or the class of one; or a generated table, `XSpec`.

    Returns:
        A new dict of plain values, as `docs/ir.md` describes it: `format`, a number; `main`, references to the
        interfaces; and `schemas`, with all interfaces, models, callbacks and exceptions that these name, directly or
        through others.

    Raises:
        LookupError: it implements nothing that was generated from a schema, or the description was not written beside
            the generated module; the message says which command to run.
    """
    document: dict[str, Any] = json.loads(ir_text(described))
    return document


def ir_text(described: object) -> bytes:
    """The same as JSON, which is made once; see `ir_of`."""
    cls = described if isinstance(described, type) else type(described)
    interfaces = tuple(_interfaces(cls))
    if not interfaces:
        raise LookupError(
            f"{cls.__name__} implements nothing that was generated from a schema: give a target, a stub or a promise"
        )
    return _text(interfaces)


def _interfaces(cls: type) -> Iterator[_Generated]:
    """The interfaces of a class that no other one of them inherits."""
    if issubclass(cls, Interface):
        yield _Generated(cls.__module__, cls.__name__.removesuffix("Spec"))
    elif issubclass(cls, RpcTarget):
        covered: set[type] = set()
        for base in cls.__mro__:
            name = vars(base).get("_rpc_interface")
            if name is not None and base not in covered:
                covered.update(base.__mro__)
                yield _Generated(base.__module__, name)
    elif issubclass(cls, Calls):
        found = (base for base in cls.__mro__ if base.__name__.endswith("Calls") and issubclass(base, Calls))
        base = next(found)  # `Calls` itself, if nothing else
        if not base.__module__.startswith("capnweb_runtime."):
            yield _Generated(base.__module__, base.__name__.removesuffix("Calls"))


@lru_cache(maxsize=256)
def _text(interfaces: tuple[_Generated, ...]) -> bytes:
    """The IR of some interfaces. A program has few of them that anybody asks about."""
    found = _Found()
    main = [found.main(one) for one in interfaces]
    document = {"format": _FORMAT, "main": main, "schemas": found.schemas()}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


_KINDS: Final = {
    "interface": ("interfaces", "interface"),
    "sturdy_ref": ("interfaces", "interface"),
    "model": ("models", "model"),
    "callback": ("callbacks", "callback"),
}
"""Kinds of types that name something: where a schema lists it, and under which key the reference is."""
_LISTS: Final = ("models", "interfaces", "errors", "callbacks")


class _Found:
    """What can be reached, of the schemas that are known."""

    def __init__(self) -> None:
        self._schemas: dict[str, dict[str, Any]] = {}  # by module
        self._homes: dict[str, str] = {}  # generated modules of schemas that others name
        self._reached: set[tuple[str, str, str, str]] = set()  # schema, list in there, module and name
        self._waiting: list[tuple[Any, str]] = []  # nodes to look into, and the schemas that they are of

    def main(self, interface: _Generated) -> dict[str, str]:
        """Reaches an interface that was asked about, and all behind it. Returns a reference to it."""
        reference = {"module": self._read(interface.module), "name": interface.name}
        self._reach("interfaces", reference, reference["module"])
        while self._waiting:
            self._look_into(*self._waiting.pop())
        return reference

    def schemas(self) -> list[dict[str, Any]]:
        """The schemas of what has been reached, with nothing else in them."""
        reached = {schema for schema, *_ in self._reached}
        return [self._part(schema) for name, schema in sorted(self._schemas.items()) if name in reached]

    def _part(self, schema: dict[str, Any]) -> dict[str, Any]:
        module, part = schema["module"], dict(schema)
        for listed in _LISTS:
            if listed in part:
                key = module, listed
                part[listed] = [
                    one for one in part[listed] if (*key, one.get("module", module), one["name"]) in self._reached
                ]
        if not part.get("callbacks", True):
            del part["callbacks"]
        return part

    def _reach(self, listed: str, reference: dict[str, str], named_in: str) -> None:
        """Reaches what a reference names.

        Parameters:
            listed: where a schema lists it.
            reference: its module and name.
            named_in: the schema that has the reference; it describes what is declared outside of schemas, and errors.
        """
        home, name = reference["module"], reference["name"]
        if home in self._homes and home not in self._schemas:
            self._read(self._homes[home])
        at_home = home in self._schemas and listed != "errors"
        if not at_home and listed in ("interfaces", "callbacks"):
            return
        schema = home if at_home else named_in
        key = schema, listed, home, name
        if key in self._reached:
            return
        self._reached.add(key)
        for one in self._schemas[schema].get(listed, ()):
            if one["name"] == name and one.get("module", home) == home:
                self._waiting.append((one, schema))

    def _look_into(self, node: Any, schema: str) -> None:
        if isinstance(node, list):
            self._waiting.extend((item, schema) for item in node)
        elif isinstance(node, dict):
            listed, key = _KINDS.get(node.get("kind", ""), ("", ""))
            if listed:
                self._reach(listed, node[key], schema)
            for base in node.get("bases", ()):
                self._reach("interfaces", base, schema)
            for error in node.get("raises", ()):
                self._reach("errors", error, schema)
            self._waiting.extend((value, schema) for value in node.values())

    def _read(self, generated: str) -> str:
        """Reads the IR beside a generated module. Returns the module of the schema."""
        place = f"{generated}{_SUFFIX}"
        try:
            found: Any = import_module(place)
        except ModuleNotFoundError as error:
            if error.name != place:
                raise
            raise LookupError(_missing(generated)) from None
        schema: dict[str, Any] = json.loads(found.SCHEMA)
        module: str = schema["module"]
        self._schemas[module] = schema
        package = generated.rpartition(".")[0]
        for other, name in found.MODULES.items():
            self._homes[other] = resolve_name(name, package).removesuffix(_SUFFIX)
        return module


def _missing(generated: str) -> str:
    module = vars(sys.modules[generated]) if generated in sys.modules else {}
    command = command_of(module.get("__file__") or "", module).removesuffix(" --reflection")
    return f"{generated} has no IR beside it, which tells at run time what the schema says; run: {command} --reflection"
