from typing import Protocol

from capnweb_runtime.schema import idempotent


class Api(Protocol):
    @property
    @idempotent
    def size(self) -> int: ...
