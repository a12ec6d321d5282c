"""Writing a schema again over one that people have changed by hand.

Rule: a block is a class, or a name at the top level, with the comments above it. The last lines of a file record a
digest of each block as it was written. So it can be proved of a block that nobody has touched it since: it is
replaced; or that what it is made of has not changed since: it stays as it is. Where neither can be proved, nothing is
written. What was never recorded is somebody's own, and stays.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from capnweb_gen.backends.schema.module import Printed

_MARK = "# capnweb-gen:"
_ABOUT = "# What from-typescript wrote: by these digests it tells what was changed by hand since."
_RECORD = re.compile(r"(\S+)=([0-9a-f]{10})(?=\s|$)")
_HEAD = "(top)"
_WIDTH = 120


@dataclass(frozen=True)
class Conflict:
    """A block that cannot be written without losing something: where it stands, what is wrong, and both texts."""

    line: int
    message: str
    before: str
    after: str


@dataclass
class Kept:
    """The text to write, and what stands against it. `changed` are the blocks of the user's that stay."""

    text: str
    conflicts: list[Conflict] = field(default_factory=list[Conflict])
    changed: list[str] = field(default_factory=list[str])


class NotPythonError(Exception):
    """A file cannot be read as Python."""


@dataclass
class _Block:
    name: str | None
    text: str
    line: int
    is_plain: bool = False


def record(printed: Printed) -> str:
    """The text of a new file."""
    return printed.text + _footer(printed)


def keep(existing: str, printed: Printed, *, prefer: str = "") -> Kept:
    """The text of a file that is there.

    Args:
        existing: what stands in it.
        printed: what would be written into a new one.
        prefer: whose text wins where nothing can be proved: "theirs" of the file, "ours" of what is printed, or ""
            of neither.

    Raises:
        NotPythonError: the file is not Python.
    """
    body, known = _without_record(existing)
    if prefer == "ours":
        return Kept(record(printed))
    if not known:
        return _unrecorded(existing, printed, prefer)
    try:
        head, blocks, tail = _blocks(body)
    except (SyntaxError, ValueError) as error:
        raise NotPythonError(str(error)) from error
    merge = _Merge(known, printed, prefer)
    merged = merge.blocks(blocks)
    text = merge.head(head, [block for block in merged if block.name is None or block.name in merge.kept.changed])
    merge.kept.text = text + _joined(merged) + tail + _footer(printed)
    return merge.kept


def _unrecorded(existing: str, printed: Printed, prefer: str) -> Kept:
    if existing.strip() == printed.text.strip():
        return Kept(record(printed))
    if prefer == "theirs":
        return Kept(existing)
    what = "this file was not written by from-typescript, or has lost its last lines"
    return Kept(existing, [Conflict(1, what, existing, printed.text)])


class _Merge:
    """Puts together what is there and what is new."""

    def __init__(self, known: Mapping[str, str], printed: Printed, prefer: str) -> None:
        self._known = known
        self._new = dict(printed.blocks)
        self._printed = printed
        self._prefer = prefer
        self.kept = Kept("")

    def blocks(self, blocks: Sequence[_Block]) -> list[_Block]:
        """All blocks: in the order of the file, new ones behind those that they follow."""
        found = [block for old in blocks if (block := self._one(old)) is not None]
        there = {block.name for block in found}
        before: str | None = None
        for name, text in self._printed.blocks:
            if name in there:
                before = name
                continue
            if name in self._known:
                if self._known[name] != digest(text) and self._prefer != "theirs":
                    self._conflict(1, f"{name} was removed here, and has changed since", "", text)
                continue
            place = next((index + 1 for index, block in enumerate(found) if block.name == before), 0)
            found.insert(place, _Block(name, text, 1, is_plain=not _is_class(text)))
            there.add(name)
            before = name
        return found

    def _one(self, old: _Block) -> _Block | None:
        """What becomes of a block that is there."""
        name = old.name
        new = self._new.get(name) if name is not None else None
        recorded = self._known.get(name) if name is not None else None
        if name is None or (recorded is None and new is None):
            return old
        untouched = recorded == digest(old.text)
        if new is None:
            if untouched:
                return None
            if self._prefer != "theirs":
                self._conflict(old.line, f"{name} was changed here, and is not declared any more", old.text, "")
            return old
        if untouched or digest(old.text) == digest(new):
            return _Block(name, new, old.line, is_plain=old.is_plain)
        if recorded != digest(new) and self._prefer != "theirs":
            what = (
                "was changed here, and would be written otherwise than before" if recorded else "is something else here"
            )
            self._conflict(old.line, f"{name} {what}", old.text, new)
        self.kept.changed.append(name)
        return old

    def head(self, old: str, own: Sequence[_Block]) -> str:
        """What stands above the blocks. What the user's blocks need of it stays."""
        new = self._printed.head
        if self._known.get(_HEAD) == digest(old):
            missing = [one for one in _imported(old) if one not in _imported(new)]
            words = {word for block in own for word in re.findall(r"\w+", block.text)}
            return _with_imports(new, [one for one in missing if one[1].split(".")[0] in words or one[2] in words])
        if self._known.get(_HEAD) == digest(new):
            return old
        if _case(old) != _case(new) and self._prefer != "theirs":
            self._conflict(1, "WIRE_CASE is another than names are written for now", old, new)
        return _with_imports(old, [one for one in _imported(new) if one not in _imported(old)])

    def _conflict(self, line: int, message: str, before: str, after: str) -> None:
        self.kept.conflicts.append(Conflict(line, message, before, after))


def digest(text: str) -> str:
    """What is equal for equal blocks; blank lines around them, and at the ends of lines, do not count."""
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    return hashlib.sha256("\n".join(lines).strip().encode()).hexdigest()[:10]


def _footer(printed: Printed) -> str:
    entries = [f"{_HEAD}={digest(printed.head)}", *(f"{name}={digest(text)}" for name, text in printed.blocks)]
    lines = [_MARK]
    for entry in entries:
        if len(lines[-1]) + len(entry) + 1 > _WIDTH:
            lines.append(_MARK)
        lines[-1] += f" {entry}"
    return "\n\n" + "\n".join([_ABOUT, *lines]) + "\n"


def _without_record(text: str) -> tuple[str, dict[str, str]]:
    """A file without its last lines, and the digests in them."""
    known: dict[str, str] = {}
    kept: list[str] = []
    for line in text.split("\n"):
        if line.startswith(_MARK):
            known.update(_RECORD.findall(line))
        elif line.strip() != _ABOUT:
            kept.append(line)
    return "\n".join(kept), known


def _blocks(text: str) -> tuple[str, list[_Block], str]:
    """What stands above the first block, the blocks, and what follows the last."""
    lines = text.split("\n")
    statements = ast.parse(text).body
    first = next((index for index, node in enumerate(statements) if not _is_head(node, index)), len(statements))
    end = statements[first - 1].end_lineno or 0 if first else _leading_comments(lines)
    head = "\n".join(lines[:end]) + ("\n" if end else "")
    blocks: list[_Block] = []
    for node in statements[first:]:
        last = node.end_lineno or node.lineno
        blocks.append(_Block(_name(node), "\n".join(lines[end:last]), node.lineno, is_plain=not _is_definition(node)))
        end = last
    rest = "\n".join(lines[end:]).rstrip()
    return head, blocks, f"{rest}\n" if rest.strip() else ""


def _leading_comments(lines: Sequence[str]) -> int:
    return next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))


def _is_head(node: ast.stmt, index: int) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom) or _name(node) == "WIRE_CASE":
        return True
    return index == 0 and isinstance(node, ast.Expr)


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)


def _is_class(text: str) -> bool:
    return re.search(r"^class ", text, re.MULTILINE) is not None


def _name(node: ast.stmt) -> str | None:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def _joined(blocks: Sequence[_Block]) -> str:
    """Blocks below each other: classes with two blank lines around them."""
    text = ""
    before_is_plain: bool | None = None
    for block in blocks:
        close = block.is_plain and before_is_plain is not False
        gap = "" if close and before_is_plain else "\n" if close else "\n\n"
        text += gap + block.text.strip("\n") + "\n"
        before_is_plain = block.is_plain
    return text


_Imported = tuple[str, str, str]
"""A module, a name in it (empty for the module itself), and what it is called."""


def _imported(head: str) -> list[_Imported]:
    found: list[_Imported] = []
    for node in ast.parse(head).body:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [(module, alias.name, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "", alias.asname or alias.name.partition(".")[0]) for alias in node.names]
    return found


def _with_imports(head: str, missing: Sequence[_Imported]) -> str:
    """A head with more imports, behind those that it has."""
    if not missing:
        return head
    lines = head.rstrip("\n").split("\n")
    places = [node.end_lineno or 0 for node in ast.parse(head).body if isinstance(node, ast.Import | ast.ImportFrom)]
    place = max(places, default=len(lines))
    lines[place:place] = list(_import_lines(missing))
    return "\n".join(lines) + "\n"


def _import_lines(missing: Sequence[_Imported]) -> Iterator[str]:
    for module, name, called in missing:
        if name:
            yield f"from {module} import {name}" + (f" as {called}" if called != name else "")
        else:
            yield f"import {module}" + (f" as {called}" if called != module.partition(".")[0] else "")


def _case(head: str) -> str | None:
    for node in ast.parse(head).body:
        if isinstance(node, ast.Assign) and _name(node) == "WIRE_CASE":
            return ast.unparse(node.value)
    return None
