from typing import Protocol


class Api(Protocol):
    limit = 10
