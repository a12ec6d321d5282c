from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    @property
    def size(self) -> int: ...
