from typing import Protocol

from capnweb_runtime.schema import raises, wire_name


class NotFound(Exception): ...


@wire_name("NotFound")
class Gone(Exception): ...


class Api(Protocol):
    @raises(NotFound, Gone)
    def find(self) -> int: ...
