from typing import Protocol


class Api(Protocol):
    limit: int
