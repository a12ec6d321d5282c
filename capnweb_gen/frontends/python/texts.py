"""The texts of Python files: as they are on disk, or newer ones that an editor has not saved yet.

Rule: whoever reads or imports a schema sees the same text of it. Only `unsaved` says that there is another than the one
on disk; a compiler that nobody told of any reads files.
"""

from __future__ import annotations

import io
import linecache
import sys
import tokenize
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from typing_extensions import override

_UNSAVED: dict[Path, bytes] = {}


def content(path: Path) -> bytes:
    """What is in a file, or will be once it is saved.

    Raises:
        OSError: it cannot be read.
    """
    newer = _UNSAVED.get(path.absolute()) if _UNSAVED else None
    return path.read_bytes() if newer is None else newer


def is_unsaved(path: Path) -> bool:
    """Whether a file is not what is on disk."""
    return path.absolute() in _UNSAVED


def encoded(text: str) -> bytes:
    """A text as the bytes of a Python file, in the encoding that its first lines name."""
    plain = text.encode("utf-8", "surrogatepass")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(plain).readline)
        return text.encode(encoding)
    except (SyntaxError, UnicodeError):  # which reading it tells
        return plain


@contextmanager
def unsaved(texts: Mapping[Path, str]) -> Generator[None]:
    """While this lasts, files have other texts than those on disk, also for `import` and in tracebacks.

    Args:
        texts: what is in the files, by absolute path.
    """
    if not texts:
        yield
        return
    finder = _Finder()
    _UNSAVED.update({path: encoded(text) for path, text in texts.items()})
    for path, text in texts.items():  # without a time, an entry is never compared with what is on disk
        linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for path in texts:
            linecache.cache.pop(str(path), None)
        _UNSAVED.clear()


class _Finder(MetaPathFinder):
    """Finds what others find, and has it loaded from the newer text where there is one."""

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        if not any(name in (file.stem, file.parent.name) for file in _UNSAVED):
            return None
        found = PathFinder.find_spec(fullname, path)
        if found is None or found.origin is None or Path(found.origin).absolute() not in _UNSAVED:
            return None
        inside = found.submodule_search_locations
        loader = _Loader(fullname, found.origin)
        return spec_from_file_location(fullname, found.origin, loader=loader, submodule_search_locations=inside)


class _Loader(SourceFileLoader):
    """Loads the newer text. There is no bytecode of it."""

    @override
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(content(Path(path)), path)
