# Read from tests/gen/typescript_cases/exceptions/errors.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/exceptions/errors.ts declares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from capnweb_runtime.schema import raises


@dataclass
class Gone(Exception):
    """It was there once."""

    message: str
    since: datetime


@dataclass
class Closed(Exception):
    message: str
    since: datetime


class Clock(Protocol):
    @raises(Closed)
    async def now(self) -> datetime: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=ddbca333c9 Gone=7942abfc7c Closed=8a9e22f6f1 Clock=1f246ea42d
