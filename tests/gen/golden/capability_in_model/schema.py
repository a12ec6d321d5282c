from typing import Protocol

from pydantic import BaseModel


class Account(Protocol):
    async def close(self) -> None: ...


class Listed(BaseModel):
    name: str
    account: Account


class Bank(Protocol):
    async def accounts(self) -> list[Listed]: ...
