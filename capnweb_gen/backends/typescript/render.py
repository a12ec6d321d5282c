"""Printing views. Rule: templates only put in order what lowering has decided: one small file per kind of node, no
logic beyond `if` and `for`, and a name that a view does not have is an error.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from capnweb_gen.backends.typescript.views import ModuleView

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)


def render(module: ModuleView) -> str:
    """The text of a generated file."""
    return _ENVIRONMENT.get_template("module.ts.j2").render(module=module)
