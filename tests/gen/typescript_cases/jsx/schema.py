# Read from tests/gen/typescript_cases/jsx/schema.tsx by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/jsx/schema.tsx declares."""

from __future__ import annotations

from typing import Protocol


class Page(Protocol):
    async def title(self) -> str: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=6c86423593 Page=c94de5bbf1
