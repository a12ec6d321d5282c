from pydantic import BaseModel


class Colour(BaseModel):
    name: str
    inner: "Colour | None" = None
