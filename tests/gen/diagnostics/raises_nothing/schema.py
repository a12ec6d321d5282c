from typing import Protocol

from capnweb_runtime.schema import raises


class Api(Protocol):
    @raises()
    def find(self) -> int: ...
