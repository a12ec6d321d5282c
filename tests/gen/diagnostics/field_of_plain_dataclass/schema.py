from dataclasses import dataclass

from pydantic import Field


@dataclass
class Person:
    name: str = Field(default="", alias="fullName")
