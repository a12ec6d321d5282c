"""Docstrings as Markdown. Rule: what a docstring says of parameters goes to the parameters, in whichever of the usual
styles it is written, and the rest cannot break the page: it makes no heading and no HTML.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Attributes|Examples?|Notes?):\s*$")
_PARAMETERS = frozenset({"Args", "Arguments", "Parameters"})
_GOOGLE = re.compile(r"\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)")
_SPHINX = re.compile(r":param(?:eter)?\s+(?:[^:]*\s)?(\w+):\s*(.*)")
_SPHINX_OTHER = re.compile(r":(returns?|raises?(?:\s+\w+)?|rtype|type\s+\w+):\s*(.*)")
_NUMPY = re.compile(r"(\w+)(?:\s*:\s*.*)?$")
_RULE = re.compile(r"\s*[-=]{2,}\s*$")
_CODE = re.compile(r"(`+)(.+?)\1")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_BLOCK = re.compile(r"(\s{0,3})(#|>|={2,}|-{2,}|\|)")


@dataclass
class Doc:
    """A docstring. `parameters` is what it says of each."""

    text: str = ""
    parameters: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def summary(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0]


def read(doc: str | None) -> Doc:
    """What a docstring says."""
    found = Doc()
    lines = inspect.cleandoc(doc or "").split("\n")
    found.text = "\n".join(_escaped(_lines(lines, found))).strip()
    found.parameters = {name: " ".join(_escaped([text])).strip() for name, text in found.parameters.items()}
    return found


def line(text: str) -> str:
    """Prose in one line."""
    return " ".join(text.split())


def _lines(lines: list[str], found: Doc) -> Iterator[str]:
    """The lines that are not about parameters; titles of sections are bold."""
    index = 0
    while index < len(lines):
        line = lines[index]
        title = _title(lines, index)
        if title:
            name, start = title
            end = _end(lines, start)
            if name in _PARAMETERS:
                _note_parameters(lines[start:end], found)
            else:
                yield from (
                    "",
                    f"**{name}:**",
                    "",
                    *inspect.cleandoc("\n".join(["", *lines[start:end]])).split("\n"),
                    "",
                )
            index = end
            continue
        if match := _SPHINX.match(line):
            found.parameters[match[1]] = match[2]
        elif match := _SPHINX_OTHER.match(line):
            yield from ("", f"**{match[1].capitalize()}:** {match[2]}")
        else:
            yield line
        index += 1


def _title(lines: list[str], index: int) -> tuple[str, int] | None:
    """The title of a section that begins here, and the line after it."""
    if match := _SECTION.match(lines[index]):
        return match[1], index + 1
    follows = lines[index + 1] if index + 1 < len(lines) else ""
    if lines[index].strip() and _RULE.match(follows):
        return lines[index].strip(), index + 2
    return None


def _end(lines: list[str], start: int) -> int:
    """Where a section ends: at the next one or, if its lines are indented, at the first that is not."""
    indented = start < len(lines) and lines[start].startswith(" ")
    for index in range(start, len(lines)):
        if _title(lines, index) or (indented and lines[index] and not lines[index].startswith(" ")):
            return index
    return len(lines)


def _note_parameters(lines: list[str], found: Doc) -> None:
    """`name: text` with deeper lines that go on; or `name : type` with the text in deeper lines."""
    name = None
    for line in inspect.cleandoc("\n".join(["", *lines])).split("\n"):
        begins = not line.startswith(" ") and (_GOOGLE.match(line) or _NUMPY.match(line))
        if begins:
            name = begins[1]
            found.parameters[name] = begins[2] if begins.re is _GOOGLE and " : " not in line else ""
        elif name is not None:
            found.parameters[name] = f"{found.parameters[name]} {line.strip()}".strip()


def _escaped(lines: Iterator[str] | list[str]) -> Iterator[str]:
    """Without what would be a heading, a quotation, a table or HTML; code stays as it is."""
    fenced = False
    for line in lines:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            yield line
        elif fenced:
            yield line
        else:
            yield _BLOCK.sub(r"\1\\\2", _outside_code(line), count=1) if _BLOCK.match(line) else _outside_code(line)
    if fenced:
        yield "```"


def _outside_code(line: str) -> str:
    if line.startswith("    "):
        return line
    done: list[str] = []
    at = 0
    for code in _CODE.finditer(line):
        done += [_TAG.sub(r"\\<", line[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*done, _TAG.sub(r"\\<", line[at:])])
