"""Printing views. Rule: templates only put in order what lowering has decided: one small file per kind of node, no
logic beyond `if` and `for`, and a name that a view does not have is an error.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from capnweb_gen.backends.python.views import ModuleView, ReflectedView

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)


def render(module: ModuleView) -> str:
    """The text of a generated module."""
    return _ENVIRONMENT.get_template("module.py.j2").render(module=module)


def render_reflected(reflected: ReflectedView) -> str:
    """The text of the module that holds the IR of a schema."""
    return _ENVIRONMENT.get_template("reflected.py.j2").render(reflected=reflected)


def render_package(header: str) -> str:
    """The text of the `__init__.py` of a generated folder."""
    return _ENVIRONMENT.get_template("package.py.j2").render(header=header)
