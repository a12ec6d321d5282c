from typing import Annotated

from pydantic import BaseModel, GetPydanticSchema
from pydantic_core import core_schema


class Box(BaseModel):
    size: Annotated[int, GetPydanticSchema(lambda source, handler: core_schema.str_schema())]
