"""A keyword-only parameter has another name on the wire: the schema of now."""

from __future__ import annotations

from typing import Protocol

WIRE_CASE = "camel"


class Api(Protocol):
    def greet(self, name: str, *, max_times: int) -> str: ...
