"""Printing views. Rule: templates only put in order what lowering has decided: one small file per kind of node, no
logic beyond `if` and `for`, and a name that a view does not have is an error.
"""

from __future__ import annotations

from capnweb_gen.backends.printing import templates_of
from capnweb_gen.backends.python.views import FakesView, ModuleView, ReflectedView

_TEMPLATES = templates_of(__file__)


def render(module: ModuleView) -> str:
    """The text of a generated module."""
    return _TEMPLATES.get_template("module.py.j2").render(module=module)


def render_reflected(reflected: ReflectedView) -> str:
    """The text of the module that holds the IR of a schema."""
    return _TEMPLATES.get_template("reflected.py.j2").render(reflected=reflected)


def render_fakes(module: FakesView) -> str:
    """The text of a generated module of fakes."""
    return _TEMPLATES.get_template("fakes.py.j2").render(module=module)


def render_package(header: str) -> str:
    """The text of the `__init__.py` of a generated folder."""
    return _TEMPLATES.get_template("package.py.j2").render(header=header)
