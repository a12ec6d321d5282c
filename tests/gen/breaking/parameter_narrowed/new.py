"""A server takes fewer values than before: the schema of now."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field


class Api(Protocol):
    def find(self, key: Annotated[int, Field(ge=1)]) -> str: ...
