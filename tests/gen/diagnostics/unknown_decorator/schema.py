import functools
from typing import Protocol


class Api(Protocol):
    @functools.lru_cache(maxsize=10)
    def get(self) -> int: ...
