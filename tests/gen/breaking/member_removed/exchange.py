"""A method or property was removed, or has another name on the wire: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return f"hello {name}"

    def part(self) -> Any:
        return "bye"


class New:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return f"hello {name}"


async def old(api: Any, schema: Any) -> Any:
    return await api.part()


async def new(api: Any, schema: Any) -> Any:
    return await api.greet("Ann")
