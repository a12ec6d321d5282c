from typing import Protocol

from capnweb_runtime.schema import raises


class Errors:
    class NotFound(Exception): ...


class Api(Protocol):
    @raises(Errors.NotFound)
    def find(self) -> int: ...
