"""Type variables with defaults, which are for type checkers. Rule: they cost nothing where Python has none."""

from __future__ import annotations

import sys
import typing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVar
elif sys.version_info >= (3, 13):
    TypeVar = typing.TypeVar
else:

    def TypeVar(name, *constraints, default=None, **options):  # noqa: N802  (it stands for the class)
        """A type variable. Its default is for type checkers; importing typing_extensions for it would take 3 ms."""
        return typing.TypeVar(name, *constraints, **options)
