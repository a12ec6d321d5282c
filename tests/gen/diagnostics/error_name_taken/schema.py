from typing import Protocol

from capnweb_runtime.schema import raises

WIRE_CASE = "camel"


class NotFound(Exception):
    error_name: str


class Api(Protocol):
    @raises(NotFound)
    def find(self) -> int: ...
