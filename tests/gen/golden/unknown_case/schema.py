from typing import Protocol

WIRE_CASE = "kebab"


class Api(Protocol):
    __capnweb_wire_case__ = "shout"

    async def get(self) -> int: ...
