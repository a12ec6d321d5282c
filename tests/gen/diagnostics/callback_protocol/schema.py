from typing import Protocol


class Listener(Protocol):
    def __call__(self, event: str) -> None: ...
