"""Docstrings of constants and aliases: the string that stands below the assignment, whatever the value itself says.

Autodoc takes the documentation of the value's class for that of an alias such as `Capability`, and does not find the
string where a name is imported from another module. Rule: names that are public are assigned once in the package.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = Path(__file__).parents[3] / "capnweb_runtime"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    if what == "data":
        text = _strings().get(name.rpartition(".")[2])
        lines[:] = inspect.cleandoc(text).splitlines() if text else lines


@cache
def _strings() -> dict[str, str]:
    """The string below each assignment at the top of a module."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text("utf-8")).body
        for statement, below in pairwise(body):
            match statement, below:
                case (
                    ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)),
                    ast.Expr(ast.Constant(str(text))),
                ):
                    found[name] = text
    return found
