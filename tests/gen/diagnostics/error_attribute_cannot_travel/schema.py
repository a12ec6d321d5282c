from pathlib import PosixPath
from typing import Protocol

from capnweb_runtime.schema import raises


class NotFound(Exception):
    where: PosixPath


class Api(Protocol):
    @raises(NotFound)
    def find(self) -> int: ...
