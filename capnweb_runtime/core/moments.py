"""The codecs of datetimes of which a schema says more. Rule: a Date of the wire has milliseconds, so that what becomes
of microseconds is the schema's to say: they are cut off, rounded, refused, or kept in a text.

    datetime                                   a Date; microseconds are cut off, as JavaScript does (see `core.codecs`)
    Annotated[datetime, Microseconds(...)]     a Date; they are rounded or refused
    Annotated[datetime, Microseconds("keep")]  a string: "2024-01-31T12:30:00.000001Z"
    NaiveDatetime                              a string: "2024-01-31T12:30:00.000001"
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from capnweb_runtime.core.codecs import DATETIME, TypeCodec
from capnweb_runtime.core.devaluate import encode_date
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch, wire_mismatch

_LOCAL: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?"


class DatetimeCodec(TypeCodec):
    """A datetime as a Date, whose microseconds are not merely cut off.

    Parameters:
        microseconds: "round" goes to the nearest millisecond, "refuse" sends whole milliseconds only.
    """

    def __init__(self, microseconds: str) -> None:
        self._refuses = microseconds == "refuse"

    @property
    def label(self) -> str:
        return DATETIME.label

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, datetime) or value.tzinfo is None:
            return DATETIME.encode(value, to)
        rest = value.microsecond % 1000
        if rest and self._refuses:
            raise Mismatch(
                "a datetime of whole milliseconds, such as value.replace(microsecond=value.microsecond // 1000 * 1000)",
                f"one with {rest} microseconds more",
            )
        kind, milliseconds = encode_date(value.replace(microsecond=value.microsecond - rest))
        return [kind, milliseconds + (rest >= 500)]

    def decode(self, wire: Wire, source: Evaluator) -> datetime:
        return DATETIME.decode(wire, source)


class StampCodec(TypeCodec):
    """A datetime as text in the form of ISO 8601, which keeps its microseconds.

    Parameters:
        aware: whether it names an instant, which is sent as of UTC; or else what clocks show, without a time zone.
    """

    def __init__(self, aware: bool) -> None:
        self._aware = aware
        zone = r"(Z|[+-]\d\d:\d\d)" if aware else ""
        self._pattern = re.compile(_LOCAL + zone, re.ASCII)

    @property
    def label(self) -> str:
        return f"a datetime in the form YYYY-MM-DDTHH:MM:SS{'Z' if self._aware else ', without a time zone'}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, datetime):
            return self.other(value, to)
        aware = value.utcoffset() is not None
        if aware != self._aware:
            raise Mismatch(
                f"a datetime {'with' if self._aware else 'without'} a time zone", "one with" if aware else "one without"
            )
        if not aware:
            return value.isoformat()
        try:
            return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
        except OverflowError:
            raise Mismatch("a datetime that is from year 1 to 9999 in UTC", f"{value}, which is out of range") from None

    def decode(self, wire: Wire, source: Evaluator) -> datetime:
        if type(wire) is str and self._pattern.fullmatch(wire):
            try:
                read = datetime.fromisoformat(wire)
                return read.astimezone(UTC) if self._aware else read
            except (ValueError, OverflowError):
                pass
        raise wire_mismatch(self.label, wire)


EXACT_DATETIME: Final = StampCodec(aware=True)
LOCAL_DATETIME: Final = StampCodec(aware=False)


def datetime_of(microseconds: str) -> TypeCodec:
    """Codec of a datetime that says what becomes of its microseconds; see `DatetimeCodec`."""
    return DatetimeCodec(microseconds)
