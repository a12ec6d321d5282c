"""Uses it too, and inherits it."""

from typing import Protocol

from tests.gen.golden.generics_across_schemas.schemas.paging import Page
from tests.gen.golden.generics_across_schemas.schemas.people import Profile


class Staff(Page[Profile], Protocol):
    def dismiss(self, person: Profile) -> None: ...


class Admin(Protocol):
    def staff(self) -> Staff: ...
    def merge(self, one: Page[Profile], other: Page[Profile]) -> Page[Profile]: ...
