"""How back ends print. Rule: one set of settings for the templates of all of them, in which a name that a view does not
have is an error.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates_of(module: str) -> Environment:
    """The templates that stand in the folder `templates` beside a module.

    Args:
        module: its `__file__`.
    """
    return Environment(
        loader=FileSystemLoader(Path(module).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
