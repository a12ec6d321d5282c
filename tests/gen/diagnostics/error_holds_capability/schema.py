from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from capnweb_runtime.schema import raises


@dataclass
class Other:
    api: Api


class Busy(Exception):
    instead: Api
    others: list[Other]


class Api(Protocol):
    @raises(Busy)
    def find(self) -> int: ...
