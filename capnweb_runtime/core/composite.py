"""Values that are put together from earlier ones, which may stand in them more than once. Rule: what one comes to when
it is written out is known, and charged, before it is copied or encoded.

A peer can name a result twice in a list, that list twice in another, and so on: each message doubles what it stands
for, and takes no memory until it is written out.
"""

from __future__ import annotations

from array import array
from typing import Any, Final, NamedTuple

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.hook import Payload, Ref
from capnweb_runtime.core.weight import CONTAINER, LEAF, PARTS, STRING, bigint_work
from capnweb_runtime.values import Headers, Request, Response

_CAPABILITY: Final = 10 * PARTS
_ERROR: Final = 3 * PARTS
_BYTES_PER_PART: Final = 1024 // PARTS
_AGAIN: Final = 8  # as often do bytes count that stand in a value once more
_LONG: Final = 64  # bytes from which that is looked for
_DIGITS_PER_BIT: Final = 0.302
_SMALL_BITS: Final = 64
_SMALL: Final = 2**_SMALL_BITS
_LEAVES: Final = frozenset((float, bool, type(None)))


def charge_written(payload: Payload, account: Account) -> None:
    """Charges what it takes to encode a value that is put together from others.

    Raises:
        LimitExceeded: that is more than is left to the message at hand.
    """
    if payload.shared:
        account.charge(written_work(payload.value, account.left))


def written_work(value: Any, most: int) -> int:
    """Units of work that copying or encoding a plain tree takes, written out: as reading it does, with ten for a
    capability. Bytes that are in it once count for what they are, and eight times wherever they are repeated: that is
    what makes much out of little.

    Parameters:
        value: the tree.
        most: a number of units beyond which it does not matter any more.

    Returns:
        The units; one more than `most` if there are more.
    """
    parts = long_parts = 0  # of which bytes that are long, and stand in it for the first time
    long: set[int] = set()
    known: dict[int, tuple[int, int]] = {}  # both, of lists that have been weighed
    pending = [value]
    while pending and parts + LEAF * len(pending) <= most * PARTS:
        value = pending.pop()
        kind = type(value)
        if kind in _LEAVES or (kind is int and -_SMALL < value < _SMALL):
            parts += LEAF
            continue
        if kind is list:
            before = known.get(id(value))
            if before is not None:
                parts += before[0] + (_AGAIN - 1) * before[1]
                continue
            pending.append(_Weighed(id(value), parts, long_parts))
            parts += CONTAINER
            pending += value
            continue
        if kind is _Weighed:  # all that is in the list has been taken off what is pending
            known[value.number] = parts - value.parts, long_parts - value.long_parts
            continue
        size = _size(value)
        if size >= _LONG and id(value) in long:
            size *= _AGAIN
        elif size >= _LONG:
            long.add(id(value))
            long_parts += size // _BYTES_PER_PART
        parts += size // _BYTES_PER_PART + _made_of(value, pending)
    return min(1 + (parts + LEAF * len(pending)) // PARTS, most + 1)


class _Weighed(NamedTuple):
    """Stands behind what is in a list, with what there was before it.

    Attributes:
        number: of the list.
        parts: that had been counted.
        long_parts: of them, those of long bytes that stood there for the first time.
    """

    number: int
    parts: int
    long_parts: int


def _made_of(value: Any, pending: list[Any]) -> int:
    """Parts that a value takes beside its bytes; what is in it is put behind what is pending."""
    if type(value) is str:
        return STRING
    if type(value) is dict:
        pending += value.values()
        return CONTAINER + STRING * len(value)
    if isinstance(value, int):
        bits = value.bit_length()
        return LEAF if bits <= _SMALL_BITS else CONTAINER + PARTS * bigint_work(int(bits * _DIGITS_PER_BIT))
    if isinstance(value, Ref):
        return _CAPABILITY
    if isinstance(value, BaseException):
        pending += getattr(value, "props", None) or {}, value.__cause__
        if isinstance(value, BaseExceptionGroup):
            pending += value.exceptions
        return _ERROR
    if isinstance(value, (Request, Response)):
        pending += value.headers, value.body
    return CONTAINER


def _size(value: Any) -> int:
    """Bytes in a value itself, about."""
    if isinstance(value, (str, bytes, bytearray)):
        return len(value)
    if isinstance(value, dict):
        return sum(map(len, value))
    if isinstance(value, array):
        return len(value) * value.itemsize
    if isinstance(value, memoryview):
        return value.nbytes
    if isinstance(value, BaseException):
        return sum(len(part) for part in value.args if isinstance(part, str))
    if isinstance(value, Headers):
        return sum(len(name) + len(text) for name, text in value.pairs)
    return len(value.url) if isinstance(value, Request) else 0
