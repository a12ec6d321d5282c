"""A model that is declared outside of all schemas is sent as well; its module stays where it is."""

from typing import Protocol

from tests.gen.golden.foreign_models.elsewhere import Colour


class Palette(Protocol):
    async def colours(self) -> list[Colour]: ...
