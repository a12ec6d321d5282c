"""Names on the wire: camel case for the module, exceptions for an interface and for single members."""

from typing import Protocol

from pydantic import BaseModel, Field

from capnweb_runtime.schema import interface, wire_name

WIRE_CASE = "camel"


class UserRecord(BaseModel):
    user_id: int
    display_name: str
    class_: str = ""
    e_mail: str = Field(default="", alias="EMail")


class UserStore(Protocol):
    @property
    def record_count(self) -> int: ...

    @property
    @wire_name("OPEN")
    def is_open(self) -> bool: ...

    async def find_user(self, user_id: int, *, include_deleted: bool = False) -> UserRecord: ...
    async def import_(self, from_: str) -> None: ...

    async def sum_all(self, *first_values: int, upper_limit: int | None = None) -> int: ...

    @wire_name("dispose")
    async def dispose_(self) -> None: ...


@interface(case="as-written")
class LegacyStore(Protocol):
    async def find_user(self, user_id: int) -> UserRecord: ...
