from typing import Protocol

from capnweb_runtime.schema import raises


class Api(Protocol):
    @property
    @raises(KeyboardInterrupt)
    def found(self) -> int: ...
