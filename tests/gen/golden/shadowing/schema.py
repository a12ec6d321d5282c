"""Members called like types, keywords, and what generated modules import; models with the names of imports."""

import builtins
from collections.abc import Callable as Function
from datetime import datetime as Moment
from typing import Any, Protocol

from pydantic import BaseModel


class Callable(BaseModel):
    int: str
    map: float
    map_: float
    dispose: bool
    rpc: bytes


class URL(BaseModel):
    property: str


class Awaitable(Protocol):
    @property
    def str(self) -> builtins.list[builtins.int]: ...
    @property
    def datetime(self) -> Moment: ...

    async def int(self, int: float) -> bool: ...
    async def list(self, values: builtins.list[builtins.int]) -> dict[builtins.str, builtins.int]: ...
    async def object(self, handler: Function[[Callable], None]) -> Any: ...
    async def abstractmethod(self) -> URL: ...
    async def print(self, self_: bytes, type: builtins.str) -> Callable: ...
    async def Any(self) -> None: ...
    @property
    def property(self) -> Moment: ...


class Job(Protocol):
    @property
    def result(self) -> bytes: ...

    async def cancel(self) -> None: ...


class SubJob(Job, Protocol):
    async def pause(self) -> None: ...
