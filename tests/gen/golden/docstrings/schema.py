r"""Docstrings, however they are written: "quoted", with \backslashes\ and 'the like'."""

from typing import Protocol


class Documented(Protocol):
    """
        Several lines, the first one empty,

            with an indented one,
    and no end in sight.   

    """

    async def quoted(self) -> None:
        '''It says """hello""" and ends with a "quote"'''

    async def backslash(self) -> None:
        r"""Ends with a backslash \ """

    async def long(self, first: int) -> None:
        """One line, and then some.

        Args:
            first: one	with a tab
        """
        ...

    async def joined(self) -> None:
        "one " "string"
        ...

    async def blank(self) -> None:
        """   """

    @property
    def unicode(self) -> int:
        """Größe — naïve ✓"""
        ...
