from typing import Protocol

from capnweb_runtime.schema import wire_name


class Listener(Protocol):
    def __call__(self, event: str, **options: bool) -> None: ...


class Named(Protocol):
    @wire_name("named")
    def __call__(self, event: str) -> None: ...


class Log(Protocol):
    level: int

    def __call__(self, line: str) -> None: ...


class Bus(Protocol):
    def listen(self, listener: Listener) -> None: ...
    def log(self, log: Log) -> None: ...
    def name(self, named: Named) -> None: ...
