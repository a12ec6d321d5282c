from typing import Protocol


class Api(Protocol):
    class Inner: ...
