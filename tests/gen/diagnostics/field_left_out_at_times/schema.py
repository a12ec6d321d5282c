from pydantic import BaseModel, Field


class User(BaseModel):
    token: str = Field(default="", exclude_if=bool)
