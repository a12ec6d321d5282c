from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime
from enum import Enum, Flag
from fractions import Fraction
from math import inf
from pathlib import WindowsPath
from re import Pattern
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo

from annotated_types import Lt
from pydantic import AnyUrl, BaseModel, ByteSize, ImportString, IPvAnyAddress, JsonValue, Secret, SecretBytes, SecretStr

from capnweb_runtime.schema import Microseconds


class Kind(Enum):
    CARD = "card"


class Other(Enum):
    CARD = "card"


class Access(Flag):
    READ = 1
    WRITE = 2


class Outer:
    class Inner(AnyUrl):
        pass


class Login(BaseModel):
    password: SecretStr
    key: SecretBytes
    pin: Secret[int]
    at: Annotated[date, Microseconds("round")]


class Refused(Protocol):
    async def secrets(self, a: SecretStr, b: list[SecretBytes]) -> Secret[str]: ...
    async def pydantic(self, a: ByteSize, b: IPvAnyAddress, c: ImportString, d: Outer.Inner) -> JsonValue | int: ...
    async def standard(self, a: Counter[str], b: deque[int], c: defaultdict[str, int], d: OrderedDict[str, int]) -> Fraction: ...
    async def more(self, a: range, b: Pattern[str], c: ZoneInfo, d: WindowsPath) -> set[JsonValue]: ...
    async def literals(self, a: Literal[b"x"], b: Literal[Kind.CARD, "x"], c: Literal[Kind.CARD, Other.CARD]) -> Literal[Access.READ | Access.WRITE]: ...
    async def keys(self, a: dict[datetime, int], b: dict[float, int], c: dict[int | str, int], d: dict[bool, int]) -> dict[tuple[int, int], int]: ...
    async def moments(self, a: Annotated[int, Microseconds("round")], b: Annotated[datetime, Microseconds("drop")]) -> None: ...
    async def bounds(self, a: Annotated[float, Lt(inf)], *args: *tuple[int, str]) -> tuple[int, *tuple[str, ...]]: ...
