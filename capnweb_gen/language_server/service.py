"""What an editor is told of its schemas, and when: files change, schemas are read, faults are published.

Rule: this knows no protocol. It is called with paths and texts, on one event loop, and calls `publish` back; the clock
is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from capnweb_gen.language_server.debounce import Debounce
from capnweb_gen.language_server.documents import Document, Documents
from capnweb_gen.language_server.implementations import Implementations
from capnweb_gen.language_server.messages import Answer, Request
from capnweb_gen.language_server.projects import Place, configured, place_of
from capnweb_gen.language_server.reader import Reader
from capnweb_gen.language_server.reading import Reading

PAUSE = 0.15  # seconds without a change after which schemas are read
LONGEST = 1.0  # seconds of changes after which they are read all the same

Publish = Callable[[Document, Reading | None], None]
"""Shows what is wrong with a file, as it was read; with None, that nothing is said of it any more."""


@dataclass(eq=False)
class Project:
    """Schemas that are read together, and what is known of them. `task` reads them, or has done so last."""

    place: Place
    reader: Reader
    implementations: Implementations
    reading: Reading = field(default_factory=Reading)
    stale: bool = True
    task: asyncio.Task[None] | None = None

    @property
    def is_read(self) -> bool:
        """Whether somebody is reading them now."""
        return self.task is not None and not self.task.done()


@dataclass(frozen=True)
class Clock:
    """Time: what it is now, in seconds, and how to be called at some time."""

    now: Callable[[], float]
    later: Callable[[float, Callable[[], None]], object]

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Clock:
        """That of an event loop."""
        return cls(loop.time, loop.call_at)


class Service:
    """All that is known of one editor.

    Args:
        command: what starts a process that reads schemas.
        seconds: how long reading them may take.
        publish: shows faults.
        clock: the time.
    """

    def __init__(self, command: Sequence[str], seconds: float, publish: Publish, clock: Clock) -> None:
        self.documents = Documents()
        self.roots: tuple[Path, ...] = ()
        self._command = command
        self._seconds = seconds
        self._publish = publish
        self._clock = clock
        self._told: set[Path] = set()
        self._projects: dict[Place, Project] = {}
        self._waiting = Debounce[Place](PAUSE, LONGEST)
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- what the editor tells

    def show(self, document: Document) -> None:
        """A file was opened, or its text changed."""
        before = self._place(self.documents.find(document.path))
        self.documents.show(document)
        place = self._place(document)
        if before != place:
            self._clear(document)
        for project in self._touched(document.path, place):
            self._changed(project)

    def close(self, path: Path) -> None:
        """A file was closed."""
        document = self.documents.close(path)
        if document is None:
            return
        self._clear(document)
        for project in list(self._projects.values()):
            if not any(self._uses(one, project.place) for one in self.documents):
                self._forget(project)
            elif path in project.reading.paths.values():
                self._changed(project)

    def saved(self) -> None:
        """Files changed on disk: any of them may matter."""
        for document in self.documents:
            place = self._place(document)
            if place is not None:
                self._changed(self.project(place))
        for project in self._projects.values():
            project.stale = True

    async def end(self) -> None:
        """Let go of everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(project.reader.close() for project in self._projects.values()))

    # ---- what it asks

    def project_of(self, path: Path) -> Project | None:
        """The project that a file has to do with: as a schema, or as a file of the same folder."""
        document = self.documents.find(path)
        place = self._place(document) if document else None
        if place is None:
            folder = configured(path)
            place = Place(folder) if folder else None
        if place is None:
            return next((one for one in self._projects.values() if path.is_relative_to(one.place.folder)), None)
        return self.project(place)

    def place_of(self, path: Path) -> Place | None:
        """Where a file that is open is read as a schema; None if it is none."""
        return self._place(self.documents.find(path))

    def project(self, place: Place) -> Project:
        """What is known of a place. It is read when somebody asks."""
        if place not in self._projects:
            implementations = Implementations(place.folder, self.documents)
            self._projects[place] = Project(place, Reader(self._command), implementations)
        return self._projects[place]

    async def known(self, project: Project) -> Reading:
        """What schemas say as they stand now, unless they are just being read: then, what they said before."""
        if project.is_read and project.reading.schemas:
            return project.reading
        return await self.current(project)

    async def current(self, project: Project) -> Reading:
        """What schemas say as they stand now. Whoever asks may give up: what is being read is read to its end."""
        if project.task is not None and project.is_read:
            await asyncio.shield(project.task)
        if project.stale:
            if project.task is None or not project.is_read:
                project.task = asyncio.get_running_loop().create_task(self._read(project))
                self._keep(project.task)
            await asyncio.shield(project.task)
        return project.reading

    async def tried(self, project: Project, texts: dict[Path, str]) -> Answer:
        """What would be made of schemas if files had other texts; what is open otherwise counts too."""
        unsaved = {**self.documents.unsaved(), **{str(path): text for path, text in texts.items()}}
        return await project.reader.ask(self._request(project, unsaved, make=True))

    # ---- inside

    async def _read(self, project: Project) -> None:
        project.stale = False
        try:
            answer = await project.reader.ask(self._request(project, self.documents.unsaved()))
            project.reading = project.reading.then(answer)
        except BaseException:
            project.stale = True
            raise

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Keep a task until it is done: the loop alone does not."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _request(self, project: Project, unsaved: dict[str, str], *, make: bool = False) -> Request:
        place = project.place
        schemas = None if place.schema is None else (str(place.schema),)
        return Request(folder=str(place.folder), schemas=schemas, unsaved=unsaved, seconds=self._seconds, make=make)

    def _place(self, document: Document | None) -> Place | None:
        return place_of(document.path, document.text.text, self.roots) if document else None

    def _uses(self, document: Document, place: Place) -> bool:
        return document.path == place.schema if place.schema else document.path.is_relative_to(place.folder)

    def _touched(self, path: Path, place: Place | None) -> list[Project]:
        """The projects that read a file, as a schema or because one imports it."""
        mine = [self.project(place)] if place is not None else []
        return mine + [one for one in self._projects.values() if one not in mine and path in one.reading.paths.values()]

    def _changed(self, project: Project) -> None:
        project.stale = True
        self._waiting.changed(project.place, self._clock.now())
        self._wake()

    def _wake(self) -> None:
        when = self._waiting.next()
        if when is not None:
            self._clock.later(when, self._look)

    def _look(self) -> None:
        for place in self._waiting.due(self._clock.now()):
            project = self._projects.get(place)
            if project is not None:
                self._keep(asyncio.get_running_loop().create_task(self._check(project)))

    def _clear(self, document: Document) -> None:
        """Take back what was said of a file, if anything was."""
        if document.path in self._told:
            self._told.remove(document.path)
            self._publish(document, None)

    async def _check(self, project: Project) -> None:
        """Read schemas, and show what is wrong with those that are open and were not changed meanwhile."""
        before = list(self.documents)
        reading = await self.current(project)
        for document in before:
            if document is self.documents.find(document.path) and self._place(document) == project.place:
                self._told.add(document.path)
                self._publish(document, reading)

    def _forget(self, project: Project) -> None:
        del self._projects[project.place]
        self._waiting.forget(project.place)
        self._keep(asyncio.get_running_loop().create_task(project.reader.close()))
