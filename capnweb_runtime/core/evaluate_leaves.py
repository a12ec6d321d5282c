"""Parsers of the leaf expressions whose text follows JavaScript's rules. Rule: accept what the reference accepts, in
its own grammar.
"""

from __future__ import annotations

import binascii
import re
from array import array
from collections.abc import Mapping
from typing import Any, Final

from capnweb_runtime.core.attachments import NO_ATTACHMENTS, Attachments
from capnweb_runtime.core.hook import Wire
from capnweb_runtime.core.text import dumps
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.values import Headers, Uint8ClampedArray, Url

# The text that JavaScript's BigInt() takes: differs from Python's int() in signs, prefixes, underscores and digits
# outside ASCII.
_BIGINT: Final = re.compile(
    r"(?P<decimal>[+-]?[0-9]+)|0[xX](?P<hex>[0-9a-fA-F]+)|0[oO](?P<octal>[0-7]+)|0[bB](?P<binary>[01]+)"
)
_JS_SPACE: Final = (
    " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DIGITS_AT_ONCE: Final = 4000
_URL: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_FROM_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_NOT_BASE64: Final = bytes(
    code for code in range(256) if not (chr(code).isascii() and (chr(code).isalnum() or chr(code) in "+/-_"))
)


class UnknownExpression(ProtocolError):
    """An expression that the protocol does not have.

    Attributes:
        shown: compact JSON of the expression, cut to 200 characters.
    """

    def __init__(self, wire: Wire) -> None:
        try:
            text = dumps(wire).decode()
        except (RecursionError, ValueError):  # nested too deeply, or with an infinite number in it
            text = "(an expression that cannot be shown)"
        self.shown = text if len(text) <= 200 else text[:200] + "…"
        super().__init__(f"unknown special value: {self.shown}", "TypeError")


def unknown(wire: Wire) -> UnknownExpression:
    """The error for an expression that the protocol does not have."""
    return UnknownExpression(wire)


def parse_bigint(wire: list[Wire], max_digits: int) -> int:
    """The integer of ["bigint", text].

    Parameters:
        wire: the expression.
        max_digits: longest text allowed, in characters, sign and spaces included.

    Raises:
        ProtocolError: the text is too long or not what JavaScript's BigInt() takes.
    """
    if len(wire) < 2 or type(wire[1]) is not str:
        raise unknown(wire)
    text = wire[1]
    if len(text) > max_digits:
        raise ProtocolError(f"Deserialized bigint exceeds maximum length of {max_digits} digits.", "TypeError")
    text = text.strip(_JS_SPACE)
    if not text:
        return 0
    found = _BIGINT.fullmatch(text)
    if found is None:
        raise ProtocolError(f"Cannot convert {text[:64]} to a BigInt", "SyntaxError")
    if found["decimal"] is not None:
        return _parse_decimal(found["decimal"])
    base = {"hex": 16, "octal": 8, "binary": 2}[str(found.lastgroup)]
    return int(text[2:], base)


def _parse_decimal(text: str) -> int:
    """`int` in pieces: CPython refuses more than 4,300 digits at once, the protocol allows 16,384."""
    if len(text) <= _DIGITS_AT_ONCE:
        return int(text)
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.lstrip("+"))
    total = 0
    for start in range(0, len(digits), _DIGITS_AT_ONCE):
        piece = digits[start : start + _DIGITS_AT_ONCE]
        total = total * 10 ** len(piece) + int(piece)
    return sign * total


def parse_base64(text: str) -> bytes:
    """Bytes of base64 in any dialect: padded or not, URL-safe, with white space or garbage in it; never fails, as in
    the reference.
    """
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        clean = text.partition("=")[0].encode("ascii", "ignore").translate(_FROM_URL_SAFE, _NOT_BASE64)
        if len(clean) % 4 == 1:
            clean = clean[:-1]
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def byte_string(wire: list[Wire], attachments: Attachments) -> bytes | None:
    """The bytes of a bytes expression, however they travel; None if it is malformed."""
    data = wire[1] if len(wire) > 1 else None
    if type(data) is str:
        return parse_base64(data)
    if type(data) is int:
        return attachments.get(data)
    return data if type(data) is bytes else None


def parse_bytes(wire: list[Wire], array_types: Mapping[str, str], attachments: Attachments = NO_ATTACHMENTS) -> Any:
    """The byte container of ["bytes", base64, marker?]: bytes without a marker, otherwise what stands for the marked
    container.

    Parameters:
        wire: the expression.
        array_types: marker → typecode of `array.array`, for containers of numbers.
        attachments: byte strings beside the message's text, by whose index an expression may name one.
    """
    data = byte_string(wire, attachments)
    if data is None:
        raise unknown(wire)
    if len(wire) == 2:
        return data
    marker = wire[2]
    if type(marker) is not str:
        raise ProtocolError("Unknown bytes type marker type: " + _js_typeof(marker), "TypeError")
    if type(wire[1]) is int:
        return attachments.container(wire[1], marker, lambda: _container(data, marker, array_types))
    return _container(data, marker, array_types)


def _container(data: bytes, marker: str, array_types: Mapping[str, str]) -> Any:
    if marker in array_types:
        return _number_array(data, marker, array_types[marker])
    containers = {
        "Uint8Array": bytes,
        "ArrayBuffer": bytearray,
        "DataView": memoryview,
        "Uint8ClampedArray": Uint8ClampedArray,
    }
    if marker not in containers:
        raise ProtocolError(f"Unknown bytes type marker: {marker[:64]}", "TypeError")
    return containers[marker](data)


def _number_array(data: bytes, marker: str, typecode: str) -> array[Any]:
    numbers: array[Any] = array(typecode)
    if len(data) % numbers.itemsize:
        raise ProtocolError(
            f"Invalid byte length {len(data)} for {marker}; expected a multiple of {numbers.itemsize}", "TypeError"
        )
    numbers.frombytes(data)
    return numbers


def parse_url(text: str) -> Url:
    """The URL of a text. Raises ProtocolError where the text has no scheme, as no URL lacks one."""
    if not is_url(text):
        raise ProtocolError("Invalid URL", "TypeError")
    return Url(text)


def is_url(text: str) -> bool:
    """Whether a text has a scheme, as no URL lacks one."""
    return _URL.match(text) is not None


def parse_headers(wire: Wire, pairs: Wire) -> Headers:
    """The headers of a list of pairs.

    Parameters:
        wire: the expression, for the error.
        pairs: bare pairs of name and value.
    """
    if type(pairs) is not list:
        raise unknown(wire)
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
            raise ProtocolError(f"headers are pairs of name and value, not {unknown(pair).shown}", "TypeError")
    try:
        return Headers((name, value if type(value) is str else dumps(value).decode()) for name, value in pairs)
    except ValueError as error:
        raise ProtocolError(str(error), "TypeError") from None


def _js_typeof(value: Wire) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "object"
