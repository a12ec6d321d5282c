from pydantic import BaseModel

from capnweb_runtime.schema import Method


class Add(BaseModel):
    a: int
    b: int


class Calculator:
    add: Method[Add, int]
