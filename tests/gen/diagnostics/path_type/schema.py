from pathlib import Path
from typing import Protocol


class Api(Protocol):
    async def get(self, file: Path) -> int: ...
