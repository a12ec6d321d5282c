from pydantic import BaseModel, field_serializer


class Page(BaseModel):
    x: int

    @field_serializer("x")
    def as_text(self, value: int) -> str:
        return str(value)
