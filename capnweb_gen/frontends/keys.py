"""Keys of dictionaries: which types they may have.

Rule: keys of objects are strings on the wire, so that a key is of a type that travels as a string; or as an integer,
which has one way to be written in digits.
"""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.frontends import unions

_FORMS = ({"a string"}, {"an integer"})
HINT = "write dict[str, ...], or integers, dates, UUIDs, enums or NewTypes of these as keys; or send a list of pairs"


def can_be_key(shape: ir.TypeShape) -> bool:
    """Whether values of a type can be the keys of an object."""
    return not isinstance(shape, ir.UnionShape) and set(unions.forms(shape)) in _FORMS
