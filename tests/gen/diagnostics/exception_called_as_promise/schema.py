from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises


class User(BaseModel):
    name: str


class UserPromise(Exception): ...


class Api(Protocol):
    @raises(UserPromise)
    def user(self) -> User: ...
