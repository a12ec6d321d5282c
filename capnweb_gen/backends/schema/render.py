"""Printing views. Rule: a module is a head and blocks, each of which is printed by itself, so that a block can be
compared with what stands in a file.
"""

from __future__ import annotations

from collections.abc import Iterator

from capnweb_gen.backends.printing import templates_of
from capnweb_gen.backends.schema.views import AssignedView, ClassView, ModuleView

_TEMPLATES = templates_of(__file__)


def render_head(module: ModuleView) -> str:
    """What stands above the blocks of a module."""
    return _TEMPLATES.get_template("head.py.j2").render(module=module)


def render_blocks(module: ModuleView) -> Iterator[tuple[str, str]]:
    """The blocks of a module, each with the name that it declares."""
    for block in module.blocks:
        template = "class.py.j2" if isinstance(block, ClassView) else "assigned.py.j2"
        yield block.name, _TEMPLATES.get_template(template).render(block=block)


def joined(head: str, blocks: list[tuple[str, str]], module: ModuleView) -> str:
    """The text of a module: classes have two blank lines around them, and names stand below each other."""
    text = head
    before: object = None
    for (_, written), block in zip(blocks, module.blocks, strict=True):
        close = isinstance(block, AssignedView) and (before is None or isinstance(before, AssignedView))
        text += ("" if close and before is not None else "\n" if close else "\n\n") + written
        before = block
    return text
