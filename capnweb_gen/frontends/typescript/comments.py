"""JSDoc comments: from what stands before a declaration to the text of a docstring.

Rule: the text stays as it is written. Only the tags for parameters and results become the sections that docstrings
have, and links become the names that they lead to.
"""

from __future__ import annotations

import inspect
import json
import re

from capnweb_gen.frontends.typescript.nodes import Doc, Thrown

_LINK = re.compile(r"(?<!\\)\{@link(?:code|plain)?\s+([^}|\s]+)(?:\s*\|\s*|\s+)?([^}]*)\}")
_THROWN = re.compile(
    r"(?:\{@link(?:code|plain)?\s+(?P<link>[^}|\s]+)[^}]*\}|\{(?P<types>[^@}][^}]*)\})\s*(?:-\s*)?(?P<rest>.*)",
    re.DOTALL,
)
_TAG = re.compile(r"@(\w+)\s*(.*)", re.DOTALL)
_PARAMETER = re.compile(r"(?:\{[^}]*\}\s*)?(\[?[\w$.]+(?:=[^\]]*)?\]?)\s*(?:-\s*)?(.*)", re.DOTALL)
_OF_FILES = ("packageDocumentation", "module", "fileoverview", "file")
_FOR_PROGRAMS = frozenset({"capnweb", *_OF_FILES})
_SAYS_NOTHING = frozenset({"public", "export", "override", "async", "interface", "abstract", "type", "typedef"})
_MARK = re.compile(r"(?:^|(?<=\s))@capnweb\s.*$")
_DEFAULT = re.compile(r"\s*Defaults to `([^`]*)`\.")
_SECRET = re.compile(r"\s*Secret\.(?=\s|$)")
_MANY = re.compile(r"\s*Any number of them\.(?=\s|$)")


def is_doc(comment: str) -> bool:
    """Whether a comment is JSDoc."""
    return comment.startswith("/**") and comment != "/**/"


def is_of_file(doc: Doc) -> bool:
    """Whether a comment says that it is about its whole file."""
    return any(doc.has(tag) for tag in _OF_FILES)


def read_doc(comment: str) -> Doc:
    """What a JSDoc comment says."""
    lines = [_bare(line) for line in comment.removeprefix("/**").removesuffix("*/").replace("*\\/", "*/").split("\n")]
    text, tags = _split(lines)
    parameters: list[tuple[str, str]] = []
    throws: list[Thrown] = []
    programs: list[tuple[str, str]] = []
    parts = [text]
    returns, deprecated = "", None
    for name, said in tags:
        if name in {"param", "arg", "argument"} and (found := _PARAMETER.match(said)):
            parameters.append((found[1].strip("[]").partition("=")[0], _unescaped(found[2])))
        elif name in {"returns", "return"}:
            returns = _unescaped(said)
        elif name == "deprecated":
            deprecated = _unescaped(said)
        elif name in {"throws", "exception"}:
            throws += _thrown(said)
        elif name in _FOR_PROGRAMS:
            programs.append((name, said))
        elif name not in _SAYS_NOTHING:
            parts.append(_unescaped(f"{name}: {said}" if said else name))
    whole = "\n\n".join(part for part in parts if part)
    return Doc(whole, deprecated, tuple(parameters), returns, tuple(throws), tuple(programs))


def docstring(doc: Doc, names: dict[str, str] | None = None) -> str | None:
    """What a docstring says in place of a comment; None if that is nothing.

    Args:
        doc: the comment.
        names: what its parameters are called in Python.
    """
    called = names or {}
    described = [(called.get(name, name), _said(said)) for name, said in doc.parameters if _said(said)]
    parts = [doc.text]
    if described:
        parts.append("\n".join(["Args:", *(_entry(f"{name}: {said}") for name, said in described)]))
    if doc.returns:
        parts.append("\n".join(["Returns:", _entry(doc.returns)]))
    raised = [
        f"{thrown.name}: {thrown.text}" if thrown.is_type else thrown.text for thrown in doc.throws if thrown.text
    ]
    if raised:
        parts.append("\n".join(["Raises:", *map(_entry, raised)]))
    return inspect.cleandoc("\n\n".join(part for part in parts if part)).strip() or None


def default_of(said: str) -> object:
    """The default that the description of a parameter names: its value in JSON, or None if it names none."""
    found = _DEFAULT.search(said)
    if found is None:
        return None
    try:
        value: object = json.loads(found[1])
    except ValueError:
        return None
    return value


def is_secret(said: str) -> bool:
    """Whether the description of a parameter says that it is secret."""
    return _SECRET.match(said) is not None


def is_many(said: str) -> bool:
    """Whether the description of a parameter says that the array stands for any number of arguments."""
    return _MANY.search(said) is not None


def _thrown(said: str) -> list[Thrown]:
    """What stands behind `@throws`: `{@link NotFound} why`, `{NotFound | Gone} why`, or words."""
    found = _THROWN.fullmatch(said)
    if found is None:
        return [Thrown(said.split(maxsplit=1)[0].rstrip(".,:;"), _unescaped(said), is_type=False)] if said else []
    named = (found["link"] or found["types"]).split("|")
    return [Thrown(name.strip(), _unescaped(found["rest"]), is_type=True) for name in named if name.strip()]


def _said(text: str) -> str:
    """A description without the sentences that are for programs."""
    for sentence in (_SECRET, _MANY, _DEFAULT):
        text = sentence.sub("", text, count=1)
    return text.strip()


def _bare(line: str) -> str:
    """A line without the star before it."""
    stripped = line.strip()
    if not stripped.startswith("*"):
        return stripped
    rest = stripped[1:]
    return rest[1:] if rest.startswith(" ") else rest


def _split(lines: list[str]) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first tag, and the tags with what follows each. What stands in a block of code is no tag."""
    text: list[str] = []
    tags: list[list[str]] = []
    in_code = False
    marks = 0
    for line in lines:
        in_code ^= line.lstrip().startswith("```")
        line, mark = _marked(line) if not in_code else (line, None)
        if mark is not None:
            tags.insert(marks, [mark])  # what follows goes on with what came before
            marks += 1
        if not in_code and re.match(r"\s*@\w", line):
            tags.append([line.strip()])
        else:
            (tags[-1] if len(tags) > marks else text).append(line.rstrip())
    split: list[tuple[str, str]] = []
    for tag in tags:
        found = _TAG.match("\n".join(tag))
        if found:
            split.append((found[1], inspect.cleandoc(found[2]).strip()))
    return _unescaped(inspect.cleandoc("\n".join(text)).strip()), split


def _marked(line: str) -> tuple[str, str | None]:
    """A line without the `@capnweb` that it may end with, and that."""
    found = _MARK.search(line)
    return (line[: found.start()], found[0].strip()) if found is not None else (line, None)


def _entry(text: str) -> str:
    """An entry of a section, indented; more so from its second line on."""
    first, *others = text.split("\n")
    return "\n".join([f"    {first}", *(f"        {line}" if line.strip() else "" for line in others)])


def _unescaped(text: str) -> str:
    """A text without links, and with what had to be written otherwise in a comment."""
    named = _LINK.sub(lambda found: found[2].strip() or found[1], text)
    return re.sub(r"(?m)^(\s*)\\@", r"\1@", named).replace("\\{@", "{@").strip()
