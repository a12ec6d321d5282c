from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str, *, max_times: int) -> str: ...
