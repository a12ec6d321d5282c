from typing import Protocol

from capnweb_runtime.schema import raises


class DiskFull(OSError):
    filename: str


class Api(Protocol):
    @raises(DiskFull)
    def find(self) -> int: ...
