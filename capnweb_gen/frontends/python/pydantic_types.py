"""Types of pydantic's own that are no types of a value: those that check a date, and those that cannot travel.

Rule: a class that checks stands for the type of the values that it lets through, where pydantic does the checking, and
is refused elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import pydantic
from pydantic import types

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.markers import IMPORT_HINT

_CHECKED: Mapping[object, ir.ScalarName] = {
    pydantic.PastDate: "date",
    pydantic.FutureDate: "date",
    pydantic.PastDatetime: "datetime",
    pydantic.FutureDatetime: "datetime",
}
_HELD_HINT = "write the type itself: what travels can be read by the one who gets it"

INSTEAD: Mapping[object, str] = {
    pydantic.Json: "write the type that the text stands for; it travels as it is",
    pydantic.ImportString: IMPORT_HINT,
    pydantic.ByteSize: "write int",
    vars(types)["PaymentCardNumber"]: "write str",  # by its name, because type checkers tell that it is deprecated
    pydantic.NaiveDatetime: "write datetime; one that travels has a time zone",
    pydantic.Secret: _HELD_HINT,
}
"""What to write instead of such a type."""


def checked_scalar(declared: type[object], *, checked: bool) -> ir.TypeShape | None:
    """How a type travels that is another one with a check; None if it is none of these.

    Args:
        declared: the type.
        checked: whether it stands where pydantic checks it.

    Raises:
        UnsupportedTypeError: it stands where nothing does.
    """
    name = _CHECKED.get(declared)
    if name is None:
        return None
    if not checked:
        reason = f"{declared.__name__} is checked by pydantic alone"
        raise UnsupportedTypeError(reason, f"write {name}, or put it on a field of a pydantic model")
    return ir.Scalar(name=name)
