"""What travels, which knows nothing of pages."""

from pydantic import BaseModel


class Profile(BaseModel):
    name: str
