from typing import Protocol, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel, covariant=True)


class Page(Protocol[M]):
    def first(self) -> M: ...


class Api(Protocol):
    def page(self) -> Page[int]: ...
