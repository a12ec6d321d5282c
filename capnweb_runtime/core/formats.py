"""The codecs of types whose values are texts with rules: IP addresses, paths, URLs, e-mail addresses. Rule: the text is
the one that people write, and the type itself judges what arrives.

    IPv4Address, IPv6Network, ...   "192.0.2.1", "2001:db8::/32"
    Path, PurePath, ...             with slashes, whatever the system: "reports/2024.csv"
    HttpUrl, PostgresDsn, ...       as pydantic writes it: "https://example.org/"
    EmailStr, NameEmail             as pydantic writes it; it reads them with the package email-validator
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import PurePath
from typing import Any

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch, describe_wire, wire_mismatch


class FormatCodec(TypeCodec):
    """A type whose values are written as text.

    Parameters:
        cls: a class of `ipaddress` or `pathlib`, or one that pydantic reads from a string.
    """

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._path = issubclass(cls, PurePath)
        self._exact = cls.__module__ == "ipaddress"  # where an interface is an address to Python, but not as text
        self._kind: Any = str if cls.__name__ == "EmailStr" else cls  # what its values are

    @property
    def label(self) -> str:
        return f"{self._cls.__name__} as a string"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is not self._kind and (self._exact or not isinstance(value, self._kind)):
            return self.other(value, to)
        text: str = value.as_posix() if self._path else str(value)
        return text

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        if type(wire) is not str:
            raise wire_mismatch(self.label, wire)
        try:
            return self._read(wire)
        except ValueError as error:
            raise Mismatch(f"{self.label} ({_reason(error)})", describe_wire(wire)) from None

    @cached_property
    def _read(self) -> Callable[[str], Any]:
        """Pydantic is there if the schema names a type of it; its checks are made once they are needed."""
        if self._exact or self._path:
            cls: Callable[[str], Any] = self._cls
            return cls
        read: Callable[[str], Any] = import_module("pydantic").TypeAdapter(self._cls).validate_python
        return read


def _reason(error: ValueError) -> str:
    faults: list[Any] = getattr(error, "errors", list)()
    return str(faults[0]["msg"] if faults else error)


def format_of(cls: Any) -> TypeCodec:
    """Codec of a type whose values are written as text; see `FormatCodec`."""
    return FormatCodec(cls)
