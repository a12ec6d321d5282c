"""Writing generated files on request. Rule: as the command line does it, from what is on disk."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from pathlib import Path

from capnweb_gen.language_server.documents import Documents
from capnweb_gen.language_server.service import Project

_LINES = 20
"""Of what the command says, as many from the end are shown."""


async def generated_now(
    command: Sequence[str], project: Project | None, documents: Documents, seconds: float
) -> tuple[bool, str]:
    """Write the generated files of a project.

    Args:
        command: what writes them.
        project: the project; None if there is none.
        documents: what is open.
        seconds: how long it may take.

    Returns:
        Whether they are written, and what to tell.
    """
    if project is None or project.place.schema is not None:
        return False, "no [tool.capnweb-gen] in a pyproject.toml names this file, so that nothing says what to write"
    process = await asyncio.create_subprocess_exec(
        *command, cwd=project.place.folder, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return False, f"writing took longer than {seconds:g} seconds, and was given up"
    lines = said.decode(errors="replace").strip().splitlines()[-_LINES:]
    unsaved = ", ".join(Path(path).name for path in documents.unsaved())
    lines += [f"what is not saved was not looked at: {unsaved}"] if unsaved else []
    return process.returncode == 0, "\n".join(lines) or "generated files are up to date"
