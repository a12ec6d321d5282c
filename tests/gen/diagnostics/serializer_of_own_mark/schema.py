from typing import Annotated, Any

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import core_schema


class Masked:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        serialization = core_schema.plain_serializer_function_ser_schema(lambda text: "****" + text[-4:])
        return {**handler(source), "serialization": serialization}


class Card(BaseModel):
    number: Annotated[str, Masked()]
