"""What pydantic lets one put beside a type in `Annotated` and that would be lost on the way, whatever the type is.

Rule: sending reads the value of a field and sends it as its type says. A mark that makes something else of it, or that
takes another thing than it holds, is refused wherever it stands. Marks that only check are no matter of this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pydantic
from pydantic import (
    EncodedBytes,
    EncodedStr,
    ImportString,
    Json,
    PlainSerializer,
    SerializeAsAny,
    WrapSerializer,
    types,
)

from capnweb_gen.errors import UnsupportedTypeError

SERIALIZER_HINT = "give the field the type that travels"

_AS_IT_IS = "the type travels as it is"
JSON = (
    "Json is text before validation and a value after it: the value would be sent, and text expected",
    f"leave Json out: {_AS_IT_IS}",
)
IMPORT_HINT = "write str: what a peer names must not be imported unasked"
_REFUSED: Mapping[Any, tuple[str, str]] = {  # by class; to type checkers some are something else
    PlainSerializer: ("Annotated holds a serializer, which sending does not call", SERIALIZER_HINT),
    WrapSerializer: ("Annotated holds a serializer, which sending does not call", SERIALIZER_HINT),
    SerializeAsAny: (
        "SerializeAsAny sends what a subclass adds, but a value travels as the type that is declared",
        "write a union of the models, or leave SerializeAsAny out",
    ),
    Json: JSON,
    ImportString: ("ImportString takes a text and holds what it names", IMPORT_HINT),
    # Before EncodedBytes, from which it derived until pydantic 2.10.
    EncodedStr: (
        "an encoded text takes one form and holds another: one of them would be sent, the other taken",
        f"write str: {_AS_IT_IS}",
    ),
    EncodedBytes: (
        "encoded bytes take text and hold what it stands for: one of them would be sent, the other taken",
        f"write bytes: {_AS_IT_IS}",
    ),
}
_OMITS: Any = getattr(types, "_OnErrorOmit", None)  # what OnErrorOmit[T] puts there; the class is private
_VALIDATE_AS: Any = getattr(pydantic, "ValidateAs", None)  # which pydantic has from 2.12 on


def refuse_marks(metadata: Iterable[object]) -> None:
    """Look at what stands beside a type in `Annotated`.

    Raises:
        UnsupportedTypeError: sending or taking a value would not do what it says.
    """
    for entry in metadata:
        refused = next((told for mark, told in _REFUSED.items() if isinstance(entry, mark)), None)
        if refused is None and _OMITS is not None and entry is _OMITS:
            refused = (
                "OnErrorOmit leaves out what is not of its type, but what arrives is taken as a whole or refused",
                "leave OnErrorOmit out",
            )
        elif refused is None and _VALIDATE_AS is not None and isinstance(entry, _VALIDATE_AS):
            refused = ("ValidateAs takes another type than it holds", "declare the type that travels")
        if refused is not None:
            raise UnsupportedTypeError(*refused)
