from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T


class Page(Protocol[T]):
    def boxes(self) -> list[Box[T]]: ...


class Api(Protocol):
    def page(self) -> Page["Api"]: ...
