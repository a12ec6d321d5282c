from collections.abc import AsyncGenerator
from typing import Protocol


class Api(Protocol):
    def read(self) -> AsyncGenerator[bytes, None]: ...
