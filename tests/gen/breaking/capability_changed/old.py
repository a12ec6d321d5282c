from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def user(self) -> str: ...
