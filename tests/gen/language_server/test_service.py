"""When schemas are read, with a clock and a reader of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from capnweb_gen.language_server.documents import Document
from capnweb_gen.language_server.messages import Answer, Fault, Request
from capnweb_gen.language_server.reader import Reader
from capnweb_gen.language_server.reading import Reading
from capnweb_gen.language_server.service import LONGEST, PAUSE, Clock, Service
from capnweb_gen.language_server.text import Text

TEXT = "from typing import Protocol\n\n\nclass Api(Protocol): ...\n"


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def later(self, when: float, call: Callable[[], None]) -> None:
        self.waiting.append((when, call))

    def pass_to(self, now: float) -> None:
        self.now = now
        due = [call for when, call in self.waiting if when <= now]
        self.waiting = [one for one in self.waiting if one[0] > now]
        for call in due:
            call()


class Slow(Reader):
    """Answers when a test says so."""

    def __init__(self) -> None:
        super().__init__([])
        self.requests: list[Request] = []
        self.answers: asyncio.Queue[Answer | Exception] = asyncio.Queue()

    async def ask(self, request: Request) -> Answer:
        self.requests.append(request)
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Desk:
    """A service, and what it published."""

    def __init__(self, folder: Path) -> None:
        self.time = Time()
        self.published: list[tuple[int | None, Reading | None]] = []
        clock = Clock(lambda: self.time.now, self.time.later)
        self.service = Service(
            [], 1, lambda document, reading: self.published.append((document.version, reading)), clock
        )
        self.path = folder / "schemas/api.py"
        self.path.parent.mkdir()
        self.path.write_text(TEXT)
        self.reader = Slow()

    def type(self, version: int) -> None:
        self.service.show(Document(self.path.as_uri(), self.path, Text(f"{TEXT}# {version}\n"), version))
        project = self.service.project_of(self.path)
        assert project is not None
        project.reader = self.reader


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "pyproject.toml").write_text('[tool.capnweb-gen]\nschemas = ["schemas"]\nout = "generated"\n')
    return Desk(tmp_path.resolve())


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)  # a turn of the loop, for what was begun


async def test_schemas_are_read_once_for_changes_that_come_together(desk: Desk) -> None:
    for version in range(1, 4):
        desk.time.pass_to(desk.time.now + PAUSE / 2)
        desk.type(version)
    await settled()
    assert desk.reader.requests == []
    desk.time.pass_to(desk.time.now + PAUSE)
    desk.reader.answers.put_nowait(Answer())
    await settled()
    (request,) = desk.reader.requests
    assert request.unsaved == {str(desk.path): f"{TEXT}# 3\n"}
    assert [version for version, _ in desk.published] == [3]


async def test_changes_that_never_pause_are_read_all_the_same(desk: Desk) -> None:
    version = 0
    while desk.time.now < LONGEST + PAUSE:
        version += 1
        desk.type(version)
        desk.time.pass_to(desk.time.now + PAUSE / 2)
        await settled()
    assert len(desk.reader.requests) == 1


async def test_what_was_changed_while_it_was_read_is_not_shown(desk: Desk) -> None:
    desk.type(1)
    desk.time.pass_to(PAUSE)
    await settled()
    desk.type(2)
    desk.reader.answers.put_nowait(Answer(problem="of the first"))
    await settled()
    assert desk.published == []
    desk.time.pass_to(3 * PAUSE)
    desk.reader.answers.put_nowait(Answer(problem="of the second"))
    await settled()
    ((version, reading),) = desk.published
    assert reading is not None
    assert (version, reading.problem) == (2, "of the second")


async def test_who_gives_up_asking_takes_nothing_from_others(desk: Desk) -> None:
    desk.type(1)
    project = desk.service.project_of(desk.path)
    assert project is not None
    first = asyncio.create_task(desk.service.current(project))
    second = asyncio.create_task(desk.service.current(project))
    await settled()
    first.cancel()
    await settled()
    desk.reader.answers.put_nowait(Answer(problem="told"))
    assert (await asyncio.wait_for(second, 10)).problem == "told"
    assert len(desk.reader.requests) == 1


async def test_what_was_known_is_told_while_more_is_read(desk: Desk) -> None:
    desk.type(1)
    project = desk.service.project_of(desk.path)
    assert project is not None
    schema = '{"module": "schemas.api", "path": "schemas/api.py", "output": "api.py"}'
    desk.reader.answers.put_nowait(Answer.model_validate_json(f'{{"schemas": [{schema}]}}'))
    before = await asyncio.wait_for(desk.service.known(project), 10)
    desk.type(2)
    reading = asyncio.create_task(desk.service.current(project))
    await settled()
    assert await asyncio.wait_for(desk.service.known(project), 10) is before
    fault = Fault(path=str(desk.path), file="schemas/api.py", line=1, column=1, message="m", hint="h")
    desk.reader.answers.put_nowait(Answer(faults=(fault,)))
    after = await asyncio.wait_for(reading, 10)
    assert after.faults == (fault,)
    assert after.schemas == before.schemas


async def test_what_could_not_be_read_is_read_again(desk: Desk) -> None:
    desk.type(1)
    project = desk.service.project_of(desk.path)
    assert project is not None
    desk.reader.answers.put_nowait(ValueError("a mistake of ours"))
    with pytest.raises(ValueError, match="a mistake of ours"):
        await asyncio.wait_for(desk.service.current(project), 10)
    desk.reader.answers.put_nowait(Answer(problem="told"))
    assert (await asyncio.wait_for(desk.service.current(project), 10)).problem == "told"


async def test_what_nobody_has_open_is_forgotten_with_what_was_said_of_it(desk: Desk) -> None:
    desk.type(1)
    desk.time.pass_to(PAUSE)
    desk.reader.answers.put_nowait(Answer(problem="told"))
    await settled()
    desk.service.close(desk.path)
    desk.service.close(desk.path)
    assert [reading is None for _, reading in desk.published] == [False, True]
    desk.time.pass_to(10)
    await settled()
    assert len(desk.reader.requests) == 1
    await desk.service.end()
