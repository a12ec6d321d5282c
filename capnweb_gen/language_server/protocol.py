"""Conversions between what the server knows and what the protocol says.

Rule: positions are converted with the text that they are about, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from capnweb_gen.language_server.documents import Document, Documents
from capnweb_gen.language_server.faults import SOURCE, declarations, message_of, related, told
from capnweb_gen.language_server.reading import Declared, Reading
from capnweb_gen.language_server.text import Edit, Place, Span, Text, Units


def roots_of(folders: Sequence[types.WorkspaceFolder]) -> dict[Path, Path]:
    """The folders that an editor shows: where each is, and how it calls it."""
    called = [to_fs_path(one.uri) for one in folders if one.uri.startswith("file:")]
    return {Path(path).resolve(): Path(path) for path in called if path}


def path_of(uri: str) -> Path | None:
    """The file that a URI names; None if it names none, as for what was never saved."""
    if not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path).resolve() if path else None


class Converter:
    """Converts for one editor.

    Args:
        documents: what it has open.
        roots: the folders that it shows: where each is, and how it calls it, which may be by a link.
        units: how it counts characters.
    """

    def __init__(self, documents: Documents, roots: Mapping[Path, Path], units: Units) -> None:
        self._documents = documents
        self._roots = roots
        self._units = units

    def uri(self, path: Path) -> str:
        """How the editor calls a file."""
        document = self._documents.find(path)
        if document is not None:
            return document.uri
        root = next((root for root in self._roots if path.is_relative_to(root)), None)
        called = path if root is None else self._roots[root] / path.relative_to(root)
        return from_fs_path(str(called)) or called.as_uri()

    def place(self, position: types.Position, text: Text) -> Place:
        """A place in a text."""
        return text.from_protocol(position.line, position.character, self._units)

    def span(self, written: types.Range, text: Text) -> Span:
        """A part of a text."""
        return Span(self.place(written.start, text), self.place(written.end, text))

    def position(self, place: Place, text: Text) -> types.Position:
        """The same for the protocol."""
        line, character = text.to_protocol(place, self._units)
        return types.Position(line, character)

    def range(self, span: Span, text: Text) -> types.Range:
        """The same for the protocol."""
        return types.Range(self.position(span.start, text), self.position(span.end, text))

    def location(self, declared: Declared) -> types.Location | None:
        """Where something is; None if its file cannot be read."""
        text = self._documents.text(declared.path)
        return types.Location(self.uri(declared.path), self.range(declared.span, text)) if text else None

    def locations(self, found: Sequence[Declared]) -> list[types.Location]:
        """The same of several, each once."""
        return [where for where in map(self.location, dict.fromkeys(found)) if where]

    def diagnostics(self, document: Document, reading: Reading) -> list[types.Diagnostic]:
        """What is wrong with a file."""
        found: list[types.Diagnostic] = []
        declared = declarations(reading)
        for fault, span, severity in told(document.path, document.text, reading):
            elsewhere = [(what, self.location(there)) for what, there in related(fault, declared, reading.paths)]
            found.append(
                types.Diagnostic(
                    range=self.range(span, document.text),
                    message=message_of(fault),
                    severity=severity,
                    source=SOURCE,
                    code=fault.code,
                    related_information=[
                        types.DiagnosticRelatedInformation(where, what) for what, where in elsewhere if where
                    ]
                    or None,
                )
            )
        return found

    def edit(self, edits: Mapping[Path, Sequence[Edit]], *, versioned: bool) -> types.WorkspaceEdit:
        """Edits of files; `versioned` tells that the editor compares the versions that they were made for."""
        changes: dict[str, list[types.TextEdit]] = {}
        versions: dict[str, int | None] = {}
        for path, several in edits.items():
            document, text = self._documents.find(path), self._documents.text(path)
            if text is not None and several:
                uri = self.uri(path)
                versions[uri] = document.version if document else None
                changes[uri] = [types.TextEdit(self.range(one.span, text), one.text) for one in sorted(several)]
        if not versioned:
            return types.WorkspaceEdit(changes=changes)
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(
                    types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=versions[uri]), list(several)
                )
                for uri, several in changes.items()
            ]
        )
