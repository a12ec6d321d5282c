"""A keyword-only parameter has another name on the wire: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, name: Any, *, max_times: Any) -> Any:
        return " ".join([name] * max_times)


class New:
    schema: Any
    targets: Any

    def greet(self, name: Any, *, max_times: Any) -> Any:
        return " ".join([name] * max_times)


async def old(api: Any, schema: Any) -> Any:
    return await api.greet("Ann", max_times=2)


async def new(api: Any, schema: Any) -> Any:
    return await api.greet("Ann", max_times=2)
