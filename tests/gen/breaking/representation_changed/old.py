from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def double(self, price: float) -> float: ...
