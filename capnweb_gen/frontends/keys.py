"""Keys of dictionaries: which types they may have.

Rule: keys of objects are strings on the wire, so that a key is of a type that travels as a string; or as an integer,
which has one way to be written in digits. Messages of errors name keys, so that no secret is one.
"""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.frontends import unions

_FORMS = ({"a string"}, {"an integer"})
_HINT = "write dict[str, ...], or integers, dates, UUIDs, enums or NewTypes of these as keys; or send a list of pairs"
_SECRET_HINT = "errors name the keys of what they are about, and would show it: send a list of pairs"


def can_be_key(shape: ir.TypeShape) -> bool:
    """Whether values of a type can be the keys of an object."""
    return not isinstance(shape, ir.UnionShape) and not _is_secret(shape) and set(unions.forms(shape)) in _FORMS


def hint(shape: ir.TypeShape) -> str:
    """What to write in place of a type that keys cannot have."""
    return _SECRET_HINT if _is_secret(shape) else _HINT


def _is_secret(shape: ir.TypeShape) -> bool:
    return any(isinstance(part, ir.SturdyRefShape) for part in ir.walk(shape))
