"""The login of the measured interface by itself, with a dataclass for a model: for programs that start from nothing
and have no use for pydantic.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass
class Profile:
    id: int
    name: str
    email: str


class Account(Protocol):
    """What a signed-in user may do."""

    def get_profile(self, id: int) -> Profile: ...


class Records(Protocol):
    """The part of the measured interface that leads to a model."""

    def authenticate(self, token: str) -> Account: ...
