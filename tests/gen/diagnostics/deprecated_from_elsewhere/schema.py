from collections.abc import Callable
from typing import Any, Protocol


def deprecated(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


class Api(Protocol):
    @deprecated
    async def get(self) -> int: ...
