"""What should not be used any more, and how things are described."""

from typing import Annotated, Protocol

from pydantic import BaseModel, Field, computed_field
from typing_extensions import deprecated


class OldWarning(DeprecationWarning):
    """A warning of our own."""


class Item(BaseModel):
    """Something with fields that are described."""

    name: str
    """What it is called."""

    price: float = Field(default=0.0, description="In euros.")
    code: str = Field(default="", deprecated="use name")
    label: Annotated[str, deprecated("use name")] = ""

    @computed_field
    @property
    def size(self) -> int:
        """How long the name is."""
        return len(self.name)


@deprecated("use Store")
class Shop(Protocol):
    """The shop of old."""

    async def buy(self, name: str) -> Item: ...


class Store(Protocol):
    """A store."""

    @property
    @deprecated("use name")
    def title(self) -> str:
        """The title."""
        ...

    @deprecated("use find")
    async def search(self, word: str, limit: int = 10) -> list[str]: ...

    @deprecated("says nothing when it is called", category=None)
    async def quiet(self) -> None: ...

    @deprecated("a warning of another kind", category=OldWarning, stacklevel=2)
    async def loud(self) -> None: ...

    @deprecated(
        "a future warning",
        category=FutureWarning,
    )
    async def later(self) -> None:
        """With a description."""
        ...

    async def google(self, word: str, limit: int = 10) -> list[str]:
        """Find names.

        Args:
            word: what to look for.
            limit: how many at most.

        Returns:
            The names.
        """
        ...

    async def numpy(self, word: str) -> list[str]:
        """Find names.

        Parameters
        ----------
        word : str
            What to look for.
        """
        ...

    async def sphinx(self, word: str) -> list[str]:
        """Find names.

        :param word: what to look for
        :returns: the names
        """
        ...
