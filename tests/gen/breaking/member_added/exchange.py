"""A method or property was added: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return f"hello {name}"


class New:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return f"hello {name}"

    def part(self) -> Any:
        return "bye"


async def old(api: Any, schema: Any) -> Any:
    return await api.greet("Ann")


async def new(api: Any, schema: Any) -> Any:
    return await api.part()
