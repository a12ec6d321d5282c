from collections.abc import Awaitable
from typing import Protocol


class Api(Protocol):
    def get(self) -> Awaitable[int]: ...
