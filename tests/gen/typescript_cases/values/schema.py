# Read from tests/gen/typescript_cases/values/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/values/schema.ts declares."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from capnweb_runtime.schema import Blob, Capability, Headers, Request, Response, Url

WIRE_CASE = "camel"


class Values(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    big: int
    text: str
    flag: bool
    amount: float
    when: datetime
    where: Url
    bytes: builtins.bytes
    buffer: bytearray
    numbers: builtins.bytes
    blob: Blob
    headers: Headers
    failure: Any
    nothing: None
    absent: None
    list: builtins.list[str]
    matrix: builtins.list[builtins.list[float]]
    fixed: tuple[str, ...]
    pair: tuple[str, float]
    many: builtins.list[str | float]
    some: builtins.list[str | bool]
    scores: dict[str, float]
    by_number: dict[int, str]
    by_key: dict[str, datetime]
    later: str
    anything: Any
    whatever: Any


class Echo(Protocol):
    async def values(self, values: Values) -> Values: ...
    async def request(self, request: Request) -> Response: ...
    async def wrapped(self, text: str, flag: bool) -> None: ...


class Page(TypedDict, total=False):
    at: Url


class Pages(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    home: Capability[Page]
    icon: Blob
    main: Capability[Response]


class Site(Protocol):
    async def pages(self) -> Pages: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=70245768a4 Values=20666d9b75 Echo=c4aa266be2 Page=97f1c9ff68 Pages=e94bc5e55d Site=296008f151
