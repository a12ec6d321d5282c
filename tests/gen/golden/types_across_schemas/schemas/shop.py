from typing import Annotated, Protocol

from pydantic import Field

from tests.gen.golden.types_across_schemas.outside import Size, Unit
from tests.gen.golden.types_across_schemas.schemas import common
from tests.gen.golden.types_across_schemas.schemas.common import Bag, Box, Id, Page, State


class Shop(Protocol):
    async def pages(self, of: Page[Box], ids: Page[Id]) -> Page[Size]: ...
    async def any(self, thing: Box | Bag, state: State = State.NEW) -> common.Tags: ...
    async def shelf(self, id: Annotated[Id, Field(ge=0)] = Id(1)) -> common.Shelf: ...
    async def size(self, unit: Unit = Unit.METRE) -> Size: ...
