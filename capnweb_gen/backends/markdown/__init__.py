"""The back end `markdown`: a reference of what a schema declares, one page for each, to be published as it is.

Rule: lowering makes views of the IR, and templates print them. `prose` reads docstrings · `types` spells types with
links to what they name · `limits` puts bounds into words · `samples` and `calls` make examples · `page` puts a page
together.
"""

from __future__ import annotations

from capnweb_gen import graph, ir
from capnweb_gen.backends.markdown.page import lower
from capnweb_gen.backends.markdown.render import render
from capnweb_gen.backends.markdown.types import path_of


def generate(schemas: tuple[ir.Schema, ...], command: str, /) -> dict[str, str]:
    """Make the pages.

    Args:
        schemas: all schemas of the run.
        command: what a reader should run instead of editing a file.
    """
    peers = graph.by_module(schemas)
    return {path_of(schema): render(lower(schema, peers, command)) for schema in schemas}
