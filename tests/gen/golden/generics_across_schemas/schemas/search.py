"""Uses the generic interface."""

from typing import Protocol

from tests.gen.golden.generics_across_schemas.schemas.paging import Page
from tests.gen.golden.generics_across_schemas.schemas.people import Profile


class Search(Protocol):
    def find(self, word: str) -> Page[Profile]: ...
    def words(self) -> Page[str]: ...
