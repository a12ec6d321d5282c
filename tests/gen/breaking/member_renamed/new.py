"""A member has another name in Python, and the same on the wire: the schema of now."""

from __future__ import annotations

from typing import Protocol

from capnweb_runtime.schema import wire_name


class Api(Protocol):
    @wire_name("greet")
    def welcome(self, name: str) -> str: ...
