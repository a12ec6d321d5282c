from typing import Protocol

from capnweb_runtime.schema import raises


class PermissionError(Exception): ...


class Api(Protocol):
    @raises(PermissionError)
    def find(self) -> int: ...
