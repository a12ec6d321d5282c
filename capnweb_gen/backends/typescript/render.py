"""Printing views. Rule: templates only put in order what lowering has decided: one small file per kind of node, no
logic beyond `if` and `for`, and a name that a view does not have is an error.
"""

from __future__ import annotations

from capnweb_gen.backends.printing import templates_of
from capnweb_gen.backends.typescript.views import ModuleView

_TEMPLATES = templates_of(__file__)


def render(module: ModuleView) -> str:
    """The text of a generated file."""
    return _TEMPLATES.get_template("module.ts.j2").render(module=module)
