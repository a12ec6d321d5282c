from typing import Protocol

from capnweb_runtime.schema import raises


class NotFound(Exception):
    message: int


class Api(Protocol):
    @raises(NotFound)
    def find(self) -> int: ...
