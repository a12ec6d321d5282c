"""An integer may now be beyond 2**53, or no longer: the schema of now."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field


class Api(Protocol):
    def find(self, key: Annotated[int, Field(ge=0, le=2**60)]) -> str: ...
