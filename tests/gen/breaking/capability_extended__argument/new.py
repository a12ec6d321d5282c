"""In place of a capability one of an interface that inherits it is given; as an argument: the schema of now."""

from __future__ import annotations

from typing import Protocol


class User(Protocol):
    def name(self) -> str: ...


class Admin(User, Protocol):
    def ban(self) -> str: ...


class Api(Protocol):
    def meet(self, user: Admin) -> str: ...
