"""Ids in one spelling. Rule: whatever comes in is made canonical at the door, and nothing else goes further."""

from __future__ import annotations

import re
from uuid import UUID

DIGITS = 24
"""Hexadecimal digits of an id: twelve bytes, as MongoDB has them."""
_HEX = re.compile(rf"[0-9a-fA-F]{{{DIGITS}}}")


def canonical(id: str) -> str:
    """The id in 24 lower-case hexadecimal digits.

    Parameters:
        id: that, in either case, with or without spaces around it; `ObjectId("...")`, as shells print it; or a UUID
            whose first four bytes are zero, which is what the same twelve bytes are in a column of that type.

    Raises:
        ValueError: it is none of these.
    """
    text = id.strip()
    inside = re.fullmatch(r"""ObjectId\((["'])(.*)\1\)""", text)
    text = inside[2] if inside else text
    if _HEX.fullmatch(text):
        return text.lower()
    try:
        whole = UUID(text).hex
    except ValueError:
        raise ValueError(f"{id!r} is no id: 24 hexadecimal digits are") from None
    if not whole.startswith("0" * 8):
        raise ValueError(f"{id!r} is a UUID of 16 bytes, and ids have 12")
    return whole[8:]


def as_uuid(id: str) -> UUID:
    """A canonical id in a column of that type."""
    return UUID("0" * 8 + id)
