"""A parameter with a default was added at the end, or keyword-only; keyword-only.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, name: Any, *, loud: Any = False) -> Any:
        return name


class New:
    schema: Any
    targets: Any

    def greet(self, name: Any, *, loud: Any = False, times: Any = 1) -> Any:
        return " ".join([name] * times)


async def old(api: Any, schema: Any) -> Any:
    return await api.greet("Ann", loud=True)


async def new(api: Any, schema: Any) -> Any:
    return await api.greet("Ann", times=2)
