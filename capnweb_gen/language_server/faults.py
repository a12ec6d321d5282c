"""Diagnostics of the compiler as an editor shows them: below exactly what is meant, with the hint, and with the other
places that a message speaks of.

Rule: an editor is told of a bounded number of faults, whatever a schema says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lsprotocol import types

from capnweb_gen.language_server.messages import Fault
from capnweb_gen.language_server.reading import Declared, Reading
from capnweb_gen.language_server.text import Place, Span, Text
from capnweb_gen.report import Source

SOURCE = "capnweb-gen"
MOST = 100
"""Faults of one file that are shown."""

_RELATED = 5
_NAMED = re.compile(r"(?<![\w.'\"@])([^\W\d]\w*(?:\.[^\W\d]\w*)?)")
_FILE = re.compile(r"[\w./-]+\.py\b")


def told(path: Path, text: Text, reading: Reading) -> list[tuple[Fault, Span, types.DiagnosticSeverity]]:
    """What is wrong with a file, and where in its text, in order.

    Args:
        path: the file.
        text: what is in it.
        reading: what was read.
    """
    found = [(fault, types.DiagnosticSeverity.Error) for fault in reading.faults]
    found += [(fault, types.DiagnosticSeverity.Warning) for fault in reading.warnings]
    mine = [(fault, severity) for fault, severity in found if fault.path is not None and Path(fault.path) == path]
    if reading.problem is not None and not mine:
        hint = "correct that; until then nothing of it can be checked"
        fault = Fault(path=str(path), file=path.name, line=1, column=1, message=reading.problem, hint=hint)
        mine = [(fault, types.DiagnosticSeverity.Error)]
    source = Source(text.text.replace("\r\n", "\n").replace("\r", "\n"), python=True)
    return [(fault, span_of(fault, text, source), severity) for fault, severity in mine[:MOST]]


def span_of(fault: Fault, text: Text, source: Source) -> Span:
    """The part of a text that a fault is about; where it has changed since, the line, as far as there is one."""
    line = text.line(fault.line)
    if fault.line > len(text.lines) or fault.column > len(line) + 1:
        number = min(fault.line, len(text.lines))
        return Span.of(number, 1, len(text.line(number)))
    if fault.column > len(line):  # at the end of a line something is missing: its last character is shown
        return Span.of(fault.line, max(len(line), 1), min(len(line), 1))
    return Span(Place(fault.line, fault.column), Place(fault.line, source.end(fault.line, fault.column)))


def message_of(fault: Fault) -> str:
    """What is said of a fault, with the hint in a line of its own."""
    return f"{fault.message}\nhint: {fault.hint}"


def related(
    fault: Fault, declared: Mapping[str, Sequence[Declared]], paths: Mapping[str, Path]
) -> list[tuple[str, Declared]]:
    """The other places that a message speaks of: what is declared elsewhere, and other files.

    Args:
        fault: the fault.
        declared: where everything is declared, as `declarations` gives it.
        paths: the files, as messages call them.
    """
    found: dict[Declared, str] = {}
    for what, there in _mentioned(fault, declared, paths):
        here = str(there.path) == fault.path and there.span.start == Place(fault.line, fault.column)
        if not here:
            found.setdefault(there, what)
    return [(what, there) for there, what in found.items()][:_RELATED]


def declarations(reading: Reading) -> dict[str, list[Declared]]:
    """Where everything is declared, by its name; a name may be declared in several schemas."""
    found: dict[str, dict[Declared, None]] = {}
    for name, there in reading.everything() if reading.faults or reading.warnings else ():
        found.setdefault(name, {})[there] = None
    return {name: list(there) for name, there in found.items()}


def _mentioned(
    fault: Fault, known: Mapping[str, Sequence[Declared]], paths: Mapping[str, Path]
) -> Iterator[tuple[str, Declared]]:
    for name in dict.fromkeys(_NAMED.findall(fault.message)):
        for there in known.get(name, ())[:_RELATED]:
            yield f"{name} is declared here", there
    for name in dict.fromkeys(_FILE.findall(fault.message)):
        if name in paths and name != fault.file:
            yield f"this is {name}", Declared(paths[name], Span.of(1, 1, 0))
