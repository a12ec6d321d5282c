from typing import Protocol


class Clock(Protocol):
    async def now(self) -> float: ...


class Alarm:
    """Rings."""

    async def set(self, at: float) -> None:
        """Ring at a time."""

    @property
    def is_set(self) -> bool: ...
