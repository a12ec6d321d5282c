from typing import Protocol


class Marker(Protocol): ...
