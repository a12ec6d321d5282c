# Read from tests/gen/typescript_cases/names/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/names/schema.ts declares."""

from __future__ import annotations

import builtins
import datetime as datetime_module
import typing
from typing import NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from capnweb_runtime.schema import wire_name


class Node(BaseModel):
    id: str = Field(serialization_alias="$id")
    in_reply_to: str = Field(serialization_alias="in-reply-to")
    from_: str
    class_: float
    copy_: str = Field(serialization_alias="copy")
    hidden: bool = Field(serialization_alias="_hidden")
    größe: float
    user_id: float = Field(serialization_alias="userID")
    url: str = Field(serialization_alias="URL")


Mail = TypedDict(
    "Mail",
    {
        "from_": NotRequired["str"],
        "x-spam": NotRequired["bool"],
    },
)


class Literal(typing.Protocol):
    async def list(self, of: builtins.list[builtins.str]) -> builtins.list[builtins.str]: ...
    async def str(self, from_: builtins.str, class_: float) -> builtins.str: ...
    async def pass_(self) -> None: ...

    @wire_name("map")
    async def map_(self) -> float: ...

    @wire_name("dispose")
    async def dispose_(self) -> None: ...

    @wire_name("quoted name")
    async def quoted_name(self) -> None: ...

    @wire_name("getHTTPServer")
    async def get_http_server(self, lambda_: Mail) -> Node: ...

    @wire_name("userId")
    async def user_id(self) -> float: ...

    @wire_name("user_id")
    async def user_id_2(self) -> float: ...

    async def destructured(self, value: DestructuredValue, unused: builtins.str) -> None: ...


class DestructuredValue(BaseModel):
    a: float
    b: str


class Protocol(typing.Protocol):
    @property
    def datetime(self) -> datetime_module.datetime: ...

    async def after(self, when: datetime_module.datetime) -> Literal: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=1b4be74ae1 Node=a7597ded8f Mail=7b2c2201b6 Literal=c2224dddb3 DestructuredValue=5cc1665258
# capnweb-gen: Protocol=69d74b8d89
