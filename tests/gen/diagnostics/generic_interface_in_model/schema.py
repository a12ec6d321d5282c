from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T

    @classmethod
    def __pydantic_init_subclass__(cls, **settings: Any) -> None:
        if cls.model_fields["content"].annotation is str:
            raise TypeError("boxes hold no text")


class Page(Protocol[T]):
    def boxes(self) -> list[Box[T]]: ...


class Api(Protocol):
    def page(self) -> Page[str]: ...
