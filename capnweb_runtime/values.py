"""Values that the wire knows and Python lacks. Rule: plain immutable data, equal by value, no behaviour that needs a
session.

null and undefined are two values on the wire. `None` is null; `UNDEFINED` is undefined, and is falsy so that it rarely
gets in the way.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final, final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DATE_MS: Final = 8.64e15
MAX_SAFE_INTEGER: Final = 2**53 - 1
"""Largest integer that a double holds exactly together with its neighbours; beyond it an `int` travels as a bigint."""


@final
class Undefined:
    """Type of `UNDEFINED`, the wire's undefined: what an omitted value or a missing property reads as."""

    _instance: Undefined | None = None

    def __new__(cls) -> Undefined:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


@final
class WireDate:
    """A date that `datetime` cannot hold: an invalid one, or one before year 1 or after year 9999.

    Parameters:
        ms: milliseconds since 1970-01-01 UTC, or None for an invalid date.
    """

    __slots__ = ("ms",)

    def __init__(self, ms: float | None) -> None:
        self.ms = None if ms is None or not abs(ms) <= _MAX_DATE_MS else ms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WireDate) and self.ms == other.ms

    def __hash__(self) -> int:
        return hash((WireDate, self.ms))

    def __repr__(self) -> str:
        return f"WireDate({self.ms!r})"


@final
class Uint8ClampedArray(bytes):
    """Bytes in the wire's container of that name."""


def date_to_ms(value: datetime) -> float:
    """Milliseconds since 1970-01-01 UTC; a whole number as `int`, so that it is sent as one.

    Parameters:
        value: an aware datetime.

    Raises:
        TypeError: the datetime is naive, so it names no instant.
    """
    if value.tzinfo is None or value.utcoffset() is None:
        raise TypeError(
            "a datetime without a time zone names no instant; give it one, such as value.replace(tzinfo=timezone.utc)"
        )
    micros = (value - _EPOCH) // timedelta(microseconds=1)
    whole, rest = divmod(micros, 1000)
    return whole if rest == 0 else micros / 1000


def date_from_ms(ms: float | None) -> datetime | WireDate:
    """The instant as an aware UTC datetime, or as a `WireDate` where datetime cannot hold it.

    Parameters:
        ms: milliseconds since 1970-01-01 UTC; None, nan and what lies beyond ±8.64e15 are invalid dates.
    """
    if ms is None or math.isnan(ms) or abs(ms) > _MAX_DATE_MS:
        return WireDate(None)
    try:
        return _EPOCH + timedelta(microseconds=round(ms * 1000))
    except OverflowError:
        return WireDate(math.trunc(ms))
