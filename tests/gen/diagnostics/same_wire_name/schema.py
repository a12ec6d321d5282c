from typing import Protocol

from capnweb_runtime.schema import wire_name


class Api(Protocol):
    async def get_user(self) -> int: ...
    @wire_name("get_user")
    async def fetch(self) -> int: ...
