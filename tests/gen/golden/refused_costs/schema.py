from typing import Annotated, Protocol

from capnweb_runtime.schema import InterfaceModel, Method, cost

DEAR = 100


class Refused(Protocol):
    @cost(0)
    def nothing(self) -> int: ...

    @cost(-1)
    def negative(self) -> int: ...

    @cost(True)
    def boolean(self) -> int: ...

    @cost(1_000_001)
    def huge(self) -> int: ...

    @cost(DEAR)
    def named(self) -> int: ...

    @cost(2 * 3)
    def computed(self) -> int: ...

    @cost("5")
    def text(self) -> int: ...

    @cost(2.5)
    def fraction(self) -> int: ...

    @cost
    def bare(self) -> int: ...

    @cost(
        2,
        items=0,
    )
    def empty(self) -> list[int]: ...

    @cost(items=20)
    def no_list(self) -> int: ...

    @cost(2)
    @cost(3)
    def twice(self) -> int: ...

    @property
    @cost(DEAR)
    def read(self) -> int: ...


class Index(InterfaceModel):
    find: Annotated[Method[None, int], cost(DEAR)]
    size: Annotated[Method[None, int], cost(2, items=20)]
