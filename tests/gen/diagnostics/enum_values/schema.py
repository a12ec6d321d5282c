from enum import Enum

from pydantic import BaseModel, ConfigDict


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Car(BaseModel):
    model_config = ConfigDict(use_enum_values=True)

    colour: Colour | None = None
