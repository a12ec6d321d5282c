"""A callback that no schema declares, which is called by position."""

from __future__ import annotations

from typing import Protocol


class OnDone(Protocol):
    """Told of an end."""

    def __call__(self, count: int) -> None: ...
