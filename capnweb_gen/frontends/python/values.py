"""Types of values that libraries declare: pydantic's dates, URLs and addresses, those of `ipaddress` and `pathlib`.

Rule: what is but another name for a type that is there already becomes that type; what is a text with rules becomes a
text of its class; and each other one that people may well write is refused with a word on what to write.
"""

from __future__ import annotations

import collections
import fractions
import inspect
import ipaddress
import pathlib
import re
import zoneinfo
from collections.abc import Iterable, Iterator
from typing import Any

import pydantic
from pydantic import TypeAdapter, types

from capnweb_gen import graph, ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.markers import IMPORT_HINT
from capnweb_gen.frontends.python.named import class_fault
from capnweb_gen.frontends.python.refusals import lookup
from capnweb_gen.frontends.python.type_names import constant, describe
from capnweb_runtime.schema import Microseconds

# Pydantic gives most of these another face for type checkers: they are looked up by what they are at run time.
_SCALARS: dict[object, ir.ScalarName] = {
    pydantic.AwareDatetime: "datetime",
    pydantic.NaiveDatetime: "local_datetime",
    pydantic.JsonValue: "json",
}
_WHEN: dict[object, ir.ConstrainedShape] = {
    pydantic.PastDate: ir.ConstrainedShape(item=ir.Scalar(name="date"), when="past"),
    pydantic.FutureDate: ir.ConstrainedShape(item=ir.Scalar(name="date"), when="future"),
    pydantic.PastDatetime: ir.ConstrainedShape(item=ir.Scalar(name="datetime"), when="past"),
    pydantic.FutureDatetime: ir.ConstrainedShape(item=ir.Scalar(name="datetime"), when="future"),
}
_FORMATS: dict[object, str] = {
    ipaddress.IPv4Address: "ipv4",
    ipaddress.IPv6Address: "ipv6",
    ipaddress.IPv4Interface: "ipv4interface",
    ipaddress.IPv6Interface: "ipv6interface",
    ipaddress.IPv4Network: "ipv4network",
    ipaddress.IPv6Network: "ipv6network",
    pathlib.Path: "path",
    pathlib.PurePath: "path",
    pathlib.PurePosixPath: "path",
    pathlib.PureWindowsPath: "path",
    pydantic.EmailStr: "email",
    pydantic.NameEmail: "name-email",
}
# What all URLs of pydantic derive from, and those with several hosts.
_URLS = tuple(url.__mro__[-2] for url in (pydantic.AnyUrl, pydantic.PostgresDsn))

_CLEAR = "it would be sent in the clear, and nothing would hide it there"
_REFUSED: dict[object, tuple[str, str]] = {
    pydantic.SecretStr: (
        _CLEAR,
        "write Secret[str] of capnweb_runtime.schema if the peer is to have it, or leave it out",
    ),
    pydantic.SecretBytes: (
        _CLEAR,
        "write Secret[bytes] of capnweb_runtime.schema if the peer is to have it, or leave it out",
    ),
    pydantic.Secret: (_CLEAR, "write that of capnweb_runtime.schema if the peer is to have it, or leave it out"),
    pydantic.ImportString: ("a name to import is code", IMPORT_HINT),
}
_INSTEAD: dict[object, str] = {
    pydantic.ByteSize: "write int",
    pydantic.Json: "write the type that the text stands for; it travels as it is",
    vars(types)["PaymentCardNumber"]: "write str",  # by its name, because type checkers tell that it is deprecated
    pydantic.IPvAnyAddress: "write IPv4Address or IPv6Address, or str",
    pydantic.IPvAnyInterface: "write IPv4Interface or IPv6Interface, or str",
    pydantic.IPvAnyNetwork: "write IPv4Network or IPv6Network, or str",
    pathlib.PosixPath: "write Path",
    pathlib.WindowsPath: "write Path",
    collections.Counter: "write dict[str, int]",
    collections.OrderedDict: "write dict[str, ...]",
    collections.defaultdict: "write dict[str, ...]",
    collections.ChainMap: "write dict[str, ...]",
    collections.deque: "write list[...]",
    fractions.Fraction: "write Decimal, or a model with two integers",
    range: "write tuple[int, int], or a model with the bounds",
    re.Pattern: "write str",
    zoneinfo.ZoneInfo: "write str, and send its key",
}


def value_shape(annotation: object, checked: bool) -> ir.TypeShape | None:
    """The shape of a type that a library declares; None for any other.

    Args:
        annotation: the type.
        checked: whether it stands in a pydantic model, which will check what arrives by itself.

    Raises:
        UnsupportedTypeError: it cannot travel.
    """
    scalar = lookup(_SCALARS, annotation)
    if scalar is not None:
        return ir.Scalar(name=scalar)
    when = lookup(_WHEN, annotation)
    if when is not None:
        return when.item if checked else when
    written = lookup(_FORMATS, annotation)
    if written is None and inspect.isclass(annotation) and issubclass(annotation, _URLS):
        written = "uri"
    return None if written is None else ir.TextShape(type=_reference(annotation), format=written)


def refused_value(annotation: object) -> UnsupportedTypeError | None:
    """Why a type that people may well write cannot travel, and what to write; None where nothing is known of it."""
    generic: Any = annotation
    for key in (annotation, getattr(generic, "__origin__", None), *_classes(annotation)):
        refused, instead = lookup(_REFUSED, key), lookup(_INSTEAD, key)
        if key is not None and refused is not None:
            return UnsupportedTypeError(f"{describe(annotation)} cannot travel: {refused[0]}", refused[1])
        if key is not None and instead is not None:
            return UnsupportedTypeError(f"{describe(annotation)} cannot travel", instead)
    return None


def with_microseconds(item: ir.TypeShape, metadata: Iterable[object]) -> ir.TypeShape:
    """A type beside which a schema may say what becomes of microseconds."""
    said = [entry.handling for entry in metadata if isinstance(entry, Microseconds)]
    if not said:
        return item
    if isinstance(item, ir.OptionalShape):
        return ir.OptionalShape(item=with_microseconds(item.item, metadata))
    handling: str = said[-1]
    if item != ir.Scalar(name="datetime"):
        reason = f"Microseconds({constant(handling)}) is said of no datetime"
        raise UnsupportedTypeError(reason, "put it beside datetime")
    match handling:
        case "round" | "refuse":
            return ir.ConstrainedShape(item=item, microseconds=handling)
        case "keep":
            return ir.Scalar(name="exact_datetime")
        case _:
            hint = 'write "round", "refuse" or "keep"'
            raise UnsupportedTypeError(f"Microseconds({constant(handling)}) says nothing that is known", hint)


def _classes(annotation: object) -> Iterator[object]:
    """The classes that a class is made of: a Secret[str] has that of Secret among them."""
    yield from inspect.getmro(annotation)[1:-1] if inspect.isclass(annotation) else ()


def _reference(annotation: Any) -> ir.Reference:
    """Where generated code imports a class from, which is the same on every Python."""
    name: str = annotation.__name__
    module: str = annotation.__module__
    for public in sorted(graph.SUPPORTING):
        if module.partition(".")[0] == public:
            _refuse_incomplete(annotation)
            return ir.Reference(module=public, name=name)
    fault = class_fault(annotation)
    if fault is not None:
        raise UnsupportedTypeError(*fault)
    return ir.Reference(module=module, name=name)


def _refuse_incomplete(annotation: Any) -> None:
    """Refuses a type that pydantic can check only with a package that is not there."""
    try:
        TypeAdapter(annotation)
    except ImportError as error:
        hint = "install it where this schema is compiled and used: pip install 'pydantic[email]'"
        raise UnsupportedTypeError(f"{annotation.__name__} needs the package email-validator", hint) from error
