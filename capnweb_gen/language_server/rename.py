"""Renaming through everything that was written or generated: schemas, generated modules, implementations.

Rule: generated files get exactly what generating them again would give. If the compiler has anything against the new
name, nothing is renamed.
"""

from __future__ import annotations

from pathlib import Path

from capnweb_gen.frontends.python.source import ModuleSource
from capnweb_gen.language_server.messages import Answer, Fault
from capnweb_gen.language_server.navigation import Navigation
from capnweb_gen.language_server.reading import Reading, Spot, source_of
from capnweb_gen.language_server.renaming import (
    Edits,
    RefusedError,
    Renamed,
    check_name,
    find_renamed,
    in_implementations,
    in_schemas,
)
from capnweb_gen.language_server.service import Project, Service
from capnweb_gen.language_server.text import Text


class Rename:
    """Renames in one project.

    Args:
        service: what is known of the editor.
        project: the project.
        reading: what was read of it.
        keep: whether names on the wire stay.
    """

    def __init__(self, service: Service, project: Project, reading: Reading, *, keep: bool) -> None:
        self._service = service
        self._project = project
        self._reading = reading
        self._keep = keep

    @staticmethod
    def find(spot: Spot, path: Path, reading: Reading) -> Renamed | None:
        """What is meant by a place in a schema; None if it is nothing that can be renamed here.

        Raises:
            RefusedError: it must keep its name.
        """
        schema = reading.schema_of(path)
        return find_renamed(spot, schema, reading) if schema else None

    async def edits(self, spot: Spot, path: Path, new: str) -> Edits | None:
        """What to write where; None if nothing that can be renamed is there.

        Args:
            spot: what stands at the place.
            path: the schema.
            new: the new name.

        Raises:
            RefusedError: it cannot be renamed so.
        """
        renamed = self.find(spot, path, self._reading)
        if renamed is None or new == renamed.what:
            return None
        check_name(new)
        _refuse(self._reading.faults, "a schema with faults is not renamed in")
        before = {one.path: one for one in self._service.documents}
        texts, sources = self._schemas(renamed)
        written = in_schemas(renamed, new, texts, sources, self._reading, keep=self._keep)
        navigation = Navigation(self._project, self._reading, self._service.documents)
        mine = in_implementations(renamed, new, navigation.implementations(list(renamed.having)))
        renewed = {file: texts[file].edited(several) for file, several in written.items()}
        answer = await self._service.tried(self._project, renewed)
        if answer.problem is not None:
            raise RefusedError(answer.problem)
        _refuse(answer.faults, f"{renamed.what} cannot be called {new}")
        edits = {**written, **mine, **self._generated(answer)}
        for file in edits:
            if self._service.documents.find(file) is not before.get(file):
                raise RefusedError(f"{file.name} was changed meanwhile: rename again")
        return edits

    def _schemas(self, renamed: Renamed) -> tuple[dict[Path, Text], dict[Path, ModuleSource]]:
        texts: dict[Path, Text] = {}
        sources: dict[Path, ModuleSource] = {}
        for one in renamed.declarations:
            path = self._reading.paths.get(one.interface.path or one.schema.path)
            text = self._service.documents.text(path) if path else None
            source = source_of(text, path) if path and text else None
            if path is not None and text is not None and source is not None:
                texts[path], sources[path] = text, source
        return texts, sources

    def _generated(self, answer: Answer) -> Edits:
        """What has to change in generated files that are there."""
        found: Edits = {}
        for change in answer.changes:
            path = Path(change.path)
            text = self._service.documents.text(path)
            if text is not None and change.before is not None and change.after is not None:
                found[path] = text.edits_to(change.after)
        return found


def _refuse(faults: tuple[Fault, ...], what: str) -> None:
    """Refuse to rename if there are faults; the first of them is told."""
    for fault in faults[:1]:
        raise RefusedError(f"{what}: {fault.file}: {fault.message}")
