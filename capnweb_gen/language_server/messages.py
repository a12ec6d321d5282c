"""What the server asks the process that reads schemas, and what it is told: one line of JSON each.

Rule: plain data. Paths are absolute; lines and columns count from 1, as in `Diagnostic`.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict

from capnweb_gen import ir


class Message(BaseModel):
    """Base of all that goes from one process to the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")


LONGEST = 2000
"""Characters of what is said of a fault, and as many of a hint."""


class Request(Message):
    """To read schemas. `schemas` are files, or None for those that pyproject.toml names.

    `folder` is where the compiler is run, `unsaved` what an editor has not saved yet, by path, `seconds` how long it
    may take. `make` asks for what has to change in generated files as well.
    """

    folder: str
    schemas: tuple[str, ...] | None = None
    unsaved: dict[str, str] = {}
    seconds: float
    make: bool = False


class Fault(Message):
    """A diagnostic of the compiler, which is cut off if it is very long. `path` is the file, `file` how messages call
    it; `code` is what `capnweb-gen explain` takes.
    """

    path: str | None
    file: str
    line: int
    column: int
    message: str
    hint: str
    code: str | None = None


class Output(Message):
    """What is made of the schemas, and where."""

    backend: str
    folder: str


class Change(Message):
    """A generated file that is not as it should be; None is a text that is missing, or should be."""

    path: str
    before: str | None
    after: str | None


class Answer(Message):
    """What was read. `paths` are those of files as the IR calls them. `problem` says why nothing could be read."""

    schemas: tuple[ir.Schema, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    paths: dict[str, str] = {}
    outputs: tuple[Output, ...] = ()
    changes: tuple[Change, ...] = ()
    problem: str | None = None


def written(message: Message) -> bytes:
    """A message as a line. What is not ASCII is escaped: a text may hold half a character."""
    return json.dumps(message.model_dump(mode="json")).encode() + b"\n"


def parse_request(line: bytes) -> Request:
    """The request in a line."""
    return Request.model_validate(json.loads(line))


def parse_answer(line: bytes) -> Answer:
    """The answer in a line."""
    return Answer.model_validate(json.loads(line))
