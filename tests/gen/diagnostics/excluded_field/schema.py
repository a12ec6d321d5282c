from pydantic import BaseModel, Field


class Page(BaseModel):
    secret: str = Field(exclude=True)
