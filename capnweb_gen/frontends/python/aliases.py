"""Names that stand for types with other names in quotes, and which module those in quotes belong to.

Rule: a name in quotes means what it means where it is written. In `Items = list["Item"]` that is the module which
assigns Items, whoever imports it.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.util import resolve_name
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ForwardRef, Literal, get_args, get_origin

from capnweb_gen.frontends.python import texts
from capnweb_gen.frontends.python.source import ModuleSource, SourceError, read_source


def source_of(module: str) -> ModuleSource | None:
    """The source of a module that was imported; None if it has none that can be read."""
    origin = getattr(sys.modules.get(module), "__file__", None)
    if not origin or not origin.endswith(".py"):
        return None
    path = Path(origin)
    try:
        if texts.is_unsaved(path):
            return read_source(path)
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except (OSError, SourceError):
        return None


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> ModuleSource:
    """Reads a file once, until it changes."""
    return read_source(path)


def namespace_of(module: str) -> Mapping[str, Any]:
    """What names mean in a module that was imported."""
    found = sys.modules.get(module)
    return vars(found) if found else {}


def declared(module: str, name: str, value: object) -> tuple[str, str | None]:
    """The module that assigns a name which another knows, and the expression that it assigns, as far as it is found.

    Args:
        module: where the name is used.
        name: the name there.
        value: what it stands for.
    """
    source = source_of(module)
    if source is None:
        return module, None
    if name in source.values:
        return module, source.values[name].text
    known = [source.imports[name]] if name in source.imports else [(star, name) for star in source.stars]
    for where, original in known:
        other = _absolute(where, module)
        if other != module and namespace_of(other).get(original) is value:
            return declared(other, original, value)
    return module, None


def _absolute(module: str, user: str) -> str:
    try:
        return resolve_name(module, getattr(sys.modules[user], "__package__", None) or "")
    except ImportError:
        return module


def quoted(annotation: object) -> Iterator[str | ForwardRef]:
    """The names in quotes that a type holds."""
    if isinstance(annotation, str | ForwardRef):
        yield annotation
    elif isinstance(annotation, list):
        for inner in typing.cast("list[object]", annotation):
            yield from quoted(inner)
    elif get_origin(annotation) not in (None, Literal):
        arguments = get_args(annotation)
        for inner in arguments[:1] if get_origin(annotation) is Annotated else arguments:
            yield from quoted(inner)


def tied(annotation: object, module: str) -> Any:
    """A type whose names in quotes know the module that they belong to."""
    return without_quotes(annotation, lambda name: _tied_name(name, module))


def without_quotes(annotation: object, meaning: Callable[[str | ForwardRef], object]) -> Any:
    """A type in which something else stands for each name in quotes."""
    if isinstance(annotation, str | ForwardRef):
        return meaning(annotation)
    if isinstance(annotation, list):
        return [without_quotes(inner, meaning) for inner in typing.cast("list[object]", annotation)]
    if not any(quoted(annotation)):
        return annotation
    origin: Any = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Annotated:
        return Annotated[(without_quotes(arguments[0], meaning), *arguments[1:])]
    inside = tuple(without_quotes(inner, meaning) for inner in arguments)
    if origin in (typing.Union, UnionType):
        return typing.Union[inside]  # noqa: UP007  # of any number
    return origin[inside]


def _tied_name(name: str | ForwardRef, module: str) -> str | ForwardRef:
    if isinstance(name, ForwardRef) and name.__forward_module__ is not None:
        return name
    text = name if isinstance(name, str) else name.__forward_arg__
    try:
        compile(text, "<string>", "eval")  # which a reference itself does until Python 3.14
        return ForwardRef(text, module=module)
    except SyntaxError:  # which is told when it is evaluated
        return name
