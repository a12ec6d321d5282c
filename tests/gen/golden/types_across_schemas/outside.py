from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    METRE = "m"


@dataclass
class Size:
    value: float
    unit: Unit = Unit.METRE
