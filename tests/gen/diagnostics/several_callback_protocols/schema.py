from typing import Protocol


class Listener(Protocol):
    def __call__(self, event: str, *, urgent: bool = False) -> None: ...


class Log(Protocol):
    level: int

    def __call__(self, line: str) -> None: ...


class Bus(Protocol):
    def listen(self, listener: Listener) -> None: ...
    def log(self, log: Log) -> None: ...
