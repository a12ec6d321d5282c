from typing import Annotated

from pydantic import BaseModel, PlainSerializer


class Card(BaseModel):
    number: Annotated[str, PlainSerializer(lambda number: "****" + number[-4:])]
