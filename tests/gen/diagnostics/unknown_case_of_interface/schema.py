from typing import Protocol

from capnweb_runtime.schema import interface


@interface(case="kebab")  # type: ignore[arg-type]
class Api(Protocol):
    async def get(self) -> int: ...
