from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def sort(self, items: set[int]) -> set[int]: ...
