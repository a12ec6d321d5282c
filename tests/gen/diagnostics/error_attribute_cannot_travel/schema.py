from pathlib import Path
from typing import Protocol

from capnweb_runtime.schema import raises


class NotFound(Exception):
    where: Path


class Api(Protocol):
    @raises(NotFound)
    def find(self) -> int: ...
