from typing import Protocol

from capnweb_runtime.schema import raises


class Garbled(UnicodeDecodeError): ...


class Api(Protocol):
    @raises(Garbled)
    def find(self) -> int: ...
