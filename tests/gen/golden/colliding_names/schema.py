from typing import Protocol

from pydantic import BaseModel, Field

from capnweb_runtime.schema import wire_name

WIRE_CASE = "camel"


class Loan(BaseModel):
    first_name: str
    firstName: str
    other: int = Field(alias="firstName")


class LoanR(BaseModel):
    pass


class Api(Protocol):
    async def get_user(self, *, user_id: int, userId: int) -> None: ...
    async def getUser(self) -> None: ...
    @wire_name("getUser")
    async def other(self) -> None: ...
    @wire_name("")
    async def empty(self) -> None: ...


class SubApi(Api, Protocol):
    @wire_name("get_user")
    async def get_user(self, *, user_id: int, userId: int) -> None: ...
    @property
    def other(self) -> int: ...
    @wire_name("empty")
    async def unrelated(self) -> None: ...


class HTTPServer(Protocol): ...


class HttpServer(Protocol): ...


class Left(Protocol):
    async def size(self) -> int: ...
    async def same(self) -> int: ...


class Right(Protocol):
    async def size(self) -> str: ...
    async def same(self) -> int:
        """The same, described."""
        ...


class Both(Left, Right, Protocol): ...
