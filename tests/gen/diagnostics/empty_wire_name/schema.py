from typing import Protocol

from capnweb_runtime.schema import wire_name


class Api(Protocol):
    @wire_name("")
    async def get(self) -> int: ...
