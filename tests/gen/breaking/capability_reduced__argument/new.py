from __future__ import annotations

from typing import Protocol


class User(Protocol):
    def name(self) -> str: ...


class Admin(User, Protocol):
    def ban(self) -> str: ...


class Api(Protocol):
    def meet(self, user: User) -> str: ...
