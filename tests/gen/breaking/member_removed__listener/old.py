"""A method or property was removed, or has another name on the wire; in an interface that clients implement.

Here: the schema of then.
"""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    def tell(self, what: str) -> str: ...

    def end(self) -> str: ...


class Api(Protocol):
    def listen(self, listener: Listener) -> str: ...
