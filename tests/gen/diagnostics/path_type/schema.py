from pathlib import PosixPath
from typing import Protocol


class Api(Protocol):
    async def get(self, file: PosixPath) -> int: ...
