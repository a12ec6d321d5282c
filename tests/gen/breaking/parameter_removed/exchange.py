"""A parameter was removed: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, name: Any, times: Any) -> Any:
        return " ".join([name] * times)


class New:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return name


async def old(api: Any, schema: Any) -> Any:
    return await api.greet("Ann", 2)


async def new(api: Any, schema: Any) -> Any:
    return await api.greet("Ann")
