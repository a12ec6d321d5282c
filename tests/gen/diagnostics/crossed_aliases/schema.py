from pydantic import BaseModel, ConfigDict, Field


class Swap(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    left: int = Field(alias="right_hand")
    right_hand: int = Field(alias="r")
