from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def pay(self, currency: str, amount: int) -> str: ...
