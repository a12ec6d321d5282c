"""Values that the wire knows and Python lacks. Rule: plain immutable data, equal by value, no behaviour that needs a
session.

null and undefined are two values on the wire. `None` is null; `UNDEFINED` is undefined, and is falsy so that it rarely
gets in the way.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, Never, TypeAlias, TypeVar, final

T_co = TypeVar("T_co", covariant=True)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_HEADER: Final = re.compile(r"[\0\r\n]")
_MAX_DATE_MS: Final = 8.64e15
MAX_SAFE_INTEGER: Final = 2**53 - 1
"""Largest integer that a double holds exactly together with its neighbours; beyond it an `int` travels as a bigint."""
FORBIDDEN_KEYS: Final = frozenset(
    [
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "toJSON",
    ]
)
"""Names that JavaScript objects inherit, and toJSON. Where they come as keys they are dropped, as the reference does;
so that nothing is lost unseen, they are not sent.
"""
MAX_TOKEN: Final = 4096
"""Characters that the token of a `SturdyRef` may have: nothing longer is parsed."""


@final
class Undefined:
    """Type of `UNDEFINED`, which stands for JavaScript's undefined: the value of an argument that was left out, or of a
    property that is missing. It is false in conditions, and is not None, which stands for null.
    """

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
class BigInt(int):
    """An integer that travels as JavaScript's bigint, whatever its size. It is an `int` in every other way.

    A plain `int` travels as a number if a double holds it exactly (up to 2**53 - 1), and as a bigint beyond that. A
    bigint that arrives where no schema declares `int` is a BigInt.
    """

    __slots__ = ()


@final
class WireDate:
    """A date of JavaScript that `datetime` cannot hold: before year 1, after year 9999, or JavaScript's "Invalid Date".

    Parameters:
        ms: milliseconds since 1970-01-01 UTC. None, nan, and what is beyond ±8.64e15 make the invalid date, whose `ms`
            is None.
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
    """Bytes that travel as JavaScript's Uint8ClampedArray, in place of Uint8Array."""


@final
class Url(str):
    """Text that travels as JavaScript's URL object, in place of a string. The text is not checked or changed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Url({str.__repr__(self)})"


@final
class Headers(Mapping[str, str]):
    """HTTP headers that travel as JavaScript's Headers object. They are a mapping of names, in any case, to values.

    As in JavaScript, names are lower-cased and sorted, and the values of repeated names are joined by ", ", except that
    `pairs` has each Set-Cookie by itself.

    Parameters:
        pairs: names and values, in any case and order.

    Raises:
        ValueError: HTTP does not allow a name, or a line break or NUL in a value.

    Attributes:
        pairs: the names and values, lower-cased, sorted and joined.
    """

    __slots__ = ("_by_name", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, list[str]] = {}
        cookies: list[tuple[str, str]] = []
        for name, value in pairs:
            name, value = name.lower(), value.strip(" \t\r\n")
            if not _HEADER_NAME.fullmatch(name) or _NOT_IN_HEADER.search(value):
                raise ValueError(f"{name!r}: {value!r} is not a valid header")
            if name == "set-cookie":
                cookies.append((name, value))
            else:
                values.setdefault(name, []).append(value)
        joined = {name: ", ".join(each) for name, each in values.items()}
        self.pairs: tuple[tuple[str, str], ...] = tuple(sorted([*joined.items(), *cookies], key=lambda pair: pair[0]))
        self._by_name = joined if not cookies else {**joined, "set-cookie": ", ".join(value for _, value in cookies)}

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._by_name))

    def __len__(self) -> int:
        return len(self._by_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"


Body: TypeAlias = str | bytes | AsyncIterable[bytes] | None
"""Body of a request or response: text, bytes, an asynchronous iterable of bytes, or None for no body."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request that travels as JavaScript's Request object: a value to pass on, which nothing here sends.

    Attributes:
        url: URL of the request.
        method: its method. Default "GET".
        headers: its headers. Default none.
        body: text, bytes, an asynchronous iterable of bytes, or None for no body, which is the default.
        extra: further members of the Fetch API's RequestInit by name, such as "redirect" or "cache".
    """

    url: str
    method: str = "GET"
    headers: Headers = field(default_factory=Headers)
    body: Body = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response that travels as JavaScript's Response object: a value, not the answer to anything by itself.

    Attributes:
        body: text, bytes, an asynchronous iterable of bytes, or None for no body, which is the default.
        status: HTTP status. Default 200.
        status_text: reason phrase. Default empty.
        headers: its headers. Default none.
        extra: further members of the Fetch API's ResponseInit by name.
    """

    body: Body = None
    status: int = 200
    status_text: str = ""
    headers: Headers = field(default_factory=Headers)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with a media type, which travel as JavaScript's Blob. They are sent as a stream beside their message, and
    the message is delivered once all of them have arrived.

    Attributes:
        data: the bytes.
        type: media type, such as "text/csv"; "" for none.
    """

    data: bytes
    type: str = ""

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data)

    def text(self) -> str:
        """Decodes the bytes as UTF-8; what is not UTF-8 becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")


@final
@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that this version of a schema does not know, and that arrived where the schema declares `Open[...]`: a
    constant that the enum or `Literal` does not have, or a value that is of no member of the union.

    It can be sent on, as it came. Two of them are equal if their values are. In a pydantic model an instance is valid,
    and is written as its value in JSON.

    Attributes:
        value: the constant; for a union, the value in plain form: dicts, lists and scalars, with an `AnyStub` for each
            capability.
    """

    value: Any

    if not TYPE_CHECKING:

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            plain = {"type": "function-plain", "function": lambda value: value.value, "when_used": "json"}
            return {"type": "is-instance", "cls": cls, "serialization": plain}


@final
class SturdyRef(Generic[T_co]):
    """A reference to an object that outlives the session: plain data to store, from which the service that issued it
    makes a stub of the object again later.

    It travels as a string, its token. Whoever has the token may be able to get at the object; so `str`, `repr`,
    f-strings, and the errors and logs of this package do not show it. Two references are equal if their tokens are.
    They can be pickled, copied, and stored by `token`. In a pydantic model they are valid as an instance or a string,
    and are written as the token in JSON.

    The type argument is the interface of the object, as in `SturdyRef[RoomApi]`; only type checkers use it.

    Parameters:
        token: the token, as `SturdyRef.token` gives it: 1 to 4096 characters.

    Raises:
        TypeError: the token is not a string.
        ValueError: it is empty, or longer than 4096 characters.
    """

    __slots__ = ("_token",)

    _token: str

    def __init__(self, token: str) -> None:
        if type(token) is not str:
            raise TypeError(f"a SturdyRef is made of a string, not of {type(token).__name__}")
        if not 0 < len(token) <= MAX_TOKEN:
            raise ValueError(f"a SturdyRef has a token of 1 to {MAX_TOKEN} characters, not of {len(token)}")
        object.__setattr__(self, "_token", token)

    @property
    def token(self) -> str:
        """The token. Store it only where you would store a password."""
        return self._token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SturdyRef) and self._token == other._token

    def __hash__(self) -> int:
        return hash((SturdyRef, self._token))

    def __repr__(self) -> str:
        return "SturdyRef('***')"

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"a SturdyRef cannot be changed: {name!r} was set")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"a SturdyRef cannot be changed: {name!r} was deleted")

    def __copy__(self) -> SturdyRef[T_co]:
        return self

    def __deepcopy__(self, memo: object) -> SturdyRef[T_co]:
        return self

    def __reduce__(self) -> tuple[type[SturdyRef[T_co]], tuple[str]]:
        return SturdyRef, (self._token,)

    if not TYPE_CHECKING:

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            # In pydantic's own words, so that it need not be imported for them. `source` may name a Protocol, which
            # pydantic could not check; nothing is of that type here.
            text = {"type": "str", "min_length": 1, "max_length": MAX_TOKEN}
            return {
                "type": "json-or-python",
                "json_schema": {
                    "type": "function-after",
                    "function": {"type": "no-info", "function": cls},
                    "schema": text,
                },
                "python_schema": {"type": "function-plain", "function": {"type": "no-info", "function": _sturdy_ref}},
                "serialization": {
                    "type": "function-plain",
                    "function": _token_of,
                    "return_schema": text,
                    "when_used": "json",
                },
            }


def _sturdy_ref(value: object) -> SturdyRef[Any]:
    if isinstance(value, SturdyRef):
        return value
    if type(value) is not str:
        raise ValueError("a SturdyRef, or the string that is its token, was expected")
    return SturdyRef(value)


def _token_of(ref: SturdyRef[Any]) -> str:
    return ref.token


def date_to_ms(value: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC, fractions cut off towards zero, as the wire's dates have none.

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
    return micros // 1000 if micros >= 0 else -(-micros // 1000)


def date_from_ms(ms: float | None) -> datetime | WireDate:
    """The instant as an aware UTC datetime, or as a `WireDate` where datetime cannot hold it.

    Parameters:
        ms: milliseconds since 1970-01-01 UTC, of which fractions are cut off towards zero; None, nan and what lies
            beyond ±8.64e15 are invalid dates.
    """
    if ms is None or math.isnan(ms) or abs(ms) > _MAX_DATE_MS:
        return WireDate(None)
    whole = math.trunc(ms)
    try:
        return _EPOCH + timedelta(milliseconds=whole)
    except OverflowError:
        return WireDate(whole)
