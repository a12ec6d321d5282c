"""Defaults that JSON has no form for."""

from typing import Annotated, Any, Protocol

from annotated_types import Ge


class Gauge(Protocol):
    async def read(self, low: float = float("-inf"), high: float = float("inf")) -> float: ...
    async def clip(self, value: float | None = float("nan"), *, most: Annotated[float, Ge(0)] = float("inf")) -> float: ...
    async def float(self, float: Any = float("inf")) -> int: ...
