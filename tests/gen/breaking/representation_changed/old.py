"""A value travels in another form: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def double(self, price: float) -> float: ...
