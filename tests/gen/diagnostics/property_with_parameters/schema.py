from typing import Protocol


class Api(Protocol):
    @property
    def name(self, language: str) -> str: ...
