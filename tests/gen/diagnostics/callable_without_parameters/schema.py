from collections.abc import Callable
from typing import Protocol


class Api(Protocol):
    async def watch(self, on_change: Callable[..., None]) -> None: ...
