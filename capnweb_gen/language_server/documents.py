"""The files that an editor has open, and what is in others.

Rule: a text in an editor goes before the one on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen.frontends.python.texts import encoded
from capnweb_gen.language_server.text import Text


@dataclass(frozen=True)
class Document:
    """A file that is open: under which name the editor knows it, and the text and number of its version."""

    uri: str
    path: Path
    text: Text
    version: int | None


class Documents:
    """All of them, by path."""

    def __init__(self) -> None:
        self._open: dict[Path, Document] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._open.values()))

    def show(self, document: Document) -> None:
        """A file was opened, or changed."""
        self._open[document.path] = document

    def close(self, path: Path) -> Document | None:
        """A file was closed. What was not saved of it is gone."""
        return self._open.pop(path, None)

    def find(self, path: Path) -> Document | None:
        """A file, if it is open."""
        return self._open.get(path)

    def text(self, path: Path) -> Text | None:
        """What is in a file; None if it cannot be read."""
        document = self._open.get(path)
        if document is not None:
            return document.text
        try:
            return Text(path.read_bytes().decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError):
            return None

    def unsaved(self) -> dict[str, str]:
        """The texts that are not on disk yet, by path. What is no file yet is left out: nothing could import it."""
        return {str(one.path): one.text.text for one in self if one.path.suffix == ".py" and _differs(one)}


def _differs(document: Document) -> bool:
    try:
        return document.path.read_bytes() != encoded(document.text.text)
    except OSError:
        return False
