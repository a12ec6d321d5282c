from pydantic import BaseModel, Field


class Page(BaseModel):
    name: str
    title: str = Field(alias="name")
