"""A value travels in another form: the schema of now."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol


class Api(Protocol):
    def double(self, price: Decimal) -> Decimal: ...
