"""The back end `python`: client stubs and server skeletons.

Rule: one module for each schema, and the packages that they are in; what is asked for besides is a module of its own.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from capnweb_gen import graph, ir
from capnweb_gen.backends.plugins import RefusedError
from capnweb_gen.backends.python.check import faults as faults
from capnweb_gen.backends.python.fakes import lower_fakes, output_of, same_module
from capnweb_gen.backends.python.module import header, lower
from capnweb_gen.backends.python.reflected import reflect, reflected_path, same_place
from capnweb_gen.backends.python.render import render, render_fakes, render_package, render_reflected


def generate(
    schemas: tuple[ir.Schema, ...],
    command: str,
    /,
    *,
    blocking: bool = False,
    reflection: bool = False,
    fakes: bool = False,
) -> dict[str, str]:
    """Make the modules.

    Args:
        schemas: all schemas of the run.
        command: what a reader should run instead of editing a file.
        blocking: whether to make blocking stubs too.
        reflection: whether to write the IR of each schema too.
        fakes: whether to make a module of fakes for each schema with interfaces, too.

    Raises:
        RefusedError: the modules of two schemas would be one file.
    """
    refused = [*(same_place(schemas) if reflection else ()), *(same_module(schemas) if fakes else ())]
    if refused:
        raise RefusedError(refused)
    peers = graph.by_module(schemas)
    files = {schema.output: render(lower(schema, peers, command, blocking=blocking)) for schema in schemas}
    for schema in schemas if reflection else ():
        view = reflect(schema, peers, header(f" from {schema.path}", command))
        files[reflected_path(schema)] = render_reflected(view)
    for schema in schemas if fakes else ():
        if schema.interfaces:
            files[output_of(schema)] = render_fakes(lower_fakes(schema, peers, command))
    package = render_package(header("", command))
    folders = {parent.as_posix() for name in files for parent in PurePosixPath(name).parents}
    files.update({f"{folder}/__init__.py".removeprefix("./"): package for folder in folders})
    return files
