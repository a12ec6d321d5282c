# Read from tests/gen/typescript_cases/branded/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/branded/schema.ts declares."""

from __future__ import annotations

from typing import Protocol


class Accounts(Protocol):
    async def user(self, id: str) -> str: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=295c38d878 Accounts=d04a43b418
