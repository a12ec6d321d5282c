"""The language server: requests and notifications of an editor, and who answers them.

Rule: this process never imports a schema. Whatever an editor sends, an answer or an error comes back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter

from capnweb_gen.language_server.actions import offered
from capnweb_gen.language_server.documents import Document
from capnweb_gen.language_server.generating import generated_now
from capnweb_gen.language_server.hover import hover
from capnweb_gen.language_server.navigation import Navigation
from capnweb_gen.language_server.protocol import Converter, path_of, roots_of
from capnweb_gen.language_server.reading import Declared, Reading, Spot, source_of, spot_at
from capnweb_gen.language_server.rename import Rename
from capnweb_gen.language_server.renaming import RefusedError
from capnweb_gen.language_server.service import Clock, Project, Service
from capnweb_gen.language_server.text import Place, Text

GENERATE = "capnweb-gen.generate"
"""The command that writes generated files, for the project of a file."""

_REFUSED = -32803  # RequestFailed: all is well with the request, and yet it cannot be done


class Protocol(LanguageServerProtocol):
    """Answers requests that cannot be understood, which would otherwise be waited for in vain."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as what its method says it is."""
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if "method" in data and isinstance(data.get("id"), int | str):
                error = JsonRpcInvalidParams(f"the parameters of {data['method']} cannot be understood")
                self._send_response(data["id"], error=error.to_response_error())
            raise


class Server(LanguageServer):
    """What an editor talks to.

    Args:
        reader: the command that starts a process which reads schemas.
        generate: the command that writes generated files.
        seconds: how long reading schemas may take.
    """

    def __init__(self, reader: Sequence[str], generate: Sequence[str], seconds: float) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # it has no types for what it passes on
            "capnweb-gen",
            version("capnweb-gen"),
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
            converter_factory=default_converter,
        )
        self._reader = reader
        self.seconds = seconds
        self._service: Service | None = None
        self.generate = generate
        self.roots: dict[Path, Path] = {}
        self.keeps_wire_names = True

    @property
    def service(self) -> Service:
        """What is known of the editor's schemas."""
        if self._service is None:
            self._service = Service(self._reader, self.seconds, self.publish, Clock.of(asyncio.get_running_loop()))
        return self._service

    @property
    def converter(self) -> Converter:
        """What converts for this editor."""
        return Converter(self.service.documents, self.roots, self.workspace.position_codec.client_num_units)

    def publish(self, document: Document, reading: Reading | None) -> None:
        """Show what is wrong with a file."""
        found = self.converter.diagnostics(document, reading) if reading else []
        told = types.PublishDiagnosticsParams(uri=document.uri, diagnostics=found, version=document.version)
        self.text_document_publish_diagnostics(told)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Tell of what went wrong, where nobody is disturbed by it."""
        if self.protocol.writer is not None:
            told = types.LogMessageParams(types.MessageType.Error, f"{type(error).__name__}: {error}")
            self.window_log_message(told)

    def show(self, uri: str, number: int | None) -> None:
        """A file has the text that the workspace knows now."""
        path = path_of(uri)
        if path is not None:
            text = Text(self.workspace.get_text_document(uri).source)
            self.service.show(Document(uri, path, text, number))

    async def asked(
        self, uri: str, position: types.Position, *, exactly: bool = False
    ) -> tuple[Project, Reading, Path, Text, Place] | None:
        """What a request about a place in a file is about; None if the file has nothing to do with schemas.

        Args:
            uri: the file.
            position: the place.
            exactly: whether to wait until schemas were read as they stand now.
        """
        path = path_of(uri)
        text = self.service.documents.text(path) if path else None
        project = self.service.project_of(path) if path else None
        if path is None or text is None or project is None:
            return None
        reading = await (self.service.current(project) if exactly else self.service.known(project))
        return project, reading, path, text, self.converter.place(position, text)

    async def spot(
        self, uri: str, position: types.Position, *, exactly: bool = False
    ) -> tuple[Project, Reading, Path, Text, Spot] | None:
        """The same of a place in a schema, and what stands there. For any other file nothing is read."""
        schema = path_of(uri)
        if schema is None or self.service.place_of(schema) is None:
            return None
        asked = await self.asked(uri, position, exactly=exactly)
        if asked is None:
            return None
        project, reading, path, text, place = asked
        source = source_of(text, path)
        spot = spot_at(source, text, place) if source and reading.schema_of(path) else None
        return (project, reading, path, text, spot) if spot else None


def _begin(server: Server, params: types.InitializeParams) -> None:
    server.roots = roots_of(params.workspace_folders or [])
    server.service.roots = tuple(server.roots)
    given: object = params.initialization_options
    options = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    wire = options.get("wireNames")
    server.keeps_wire_names = wire != "follow"


def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    server.show(params.text_document.uri, params.text_document.version)


def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    server.show(params.text_document.uri, params.text_document.version)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    path = path_of(params.text_document.uri)
    if path is not None:
        server.service.close(path)


def _saved(server: Server, params: Any) -> None:
    server.service.saved()


async def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    found = await server.spot(params.text_document.uri, params.position)
    if found is None:
        return None
    _, reading, path, text, spot = found
    source = source_of(text, path)
    shown = hover(spot, path, source, reading) if source else None
    if shown is None:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, shown)
    return types.Hover(content, server.converter.range(spot.span, text))


async def _definition(server: Server, params: types.DefinitionParams) -> list[types.Location]:
    asked = await server.asked(params.text_document.uri, params.position)
    if asked is None:
        return []
    project, reading, path, _, place = asked
    found = Navigation(project, reading, server.service.documents).definition(path, place)
    return server.converter.locations(found)


async def _implementation(server: Server, params: types.ImplementationParams) -> list[types.Location]:
    asked = await server.asked(params.text_document.uri, params.position)
    if asked is None:
        return []
    project, reading, path, _, place = asked
    found: list[Declared] = Navigation(project, reading, server.service.documents).implementation(path, place)
    return server.converter.locations(found)


async def _prepare_rename(server: Server, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    found = await server.spot(params.text_document.uri, params.position, exactly=True)
    if found is None:
        return None
    _, reading, path, text, spot = found
    try:
        renamed = Rename.find(spot, path, reading)
    except RefusedError as refused:
        raise JsonRpcException(str(refused), _REFUSED) from refused
    if renamed is None:
        return None
    return types.PrepareRenamePlaceholder(server.converter.range(spot.span, text), spot.word)


async def _rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    found = await server.spot(params.text_document.uri, params.position, exactly=True)
    if found is None:
        return None
    project, reading, path, _, spot = found
    rename = Rename(server.service, project, reading, keep=server.keeps_wire_names)
    try:
        edits = await rename.edits(spot, path, params.new_name)
    except RefusedError as refused:
        raise JsonRpcException(str(refused), _REFUSED) from refused
    workspace = server.client_capabilities.workspace
    known = workspace.workspace_edit if workspace else None
    return server.converter.edit(edits, versioned=bool(known and known.document_changes)) if edits else None


async def _actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    schema = path_of(params.text_document.uri)
    if schema is None or server.service.place_of(schema) is None:
        return []
    asked = await server.asked(params.text_document.uri, params.range.start, exactly=True)
    if asked is None:
        return []
    _, reading, path, text, _ = asked
    return offered(params, path, text, reading, server.converter, GENERATE)


async def _generate(server: Server, *arguments: Any) -> bool:
    uri = arguments[0] if arguments else None
    path = path_of(uri) if isinstance(uri, str) else None
    project = server.service.project_of(path) if path else None
    done, message = await generated_now(server.generate, project, server.service.documents, server.seconds)
    kind = types.MessageType.Info if done else types.MessageType.Error
    server.window_show_message(types.ShowMessageParams(kind, f"capnweb-gen: {message}"))
    server.service.saved()
    return done


async def _end(server: Server, *_: Any) -> None:
    await server.service.end()


def make(reader: Sequence[str], generate: Sequence[str], seconds: float) -> Server:
    """A server with all that it can do."""
    server = Server(reader, generate, seconds)
    for method, handler in (
        (types.INITIALIZE, _begin),
        (types.SHUTDOWN, _end),
        (types.TEXT_DOCUMENT_DID_OPEN, _opened),
        (types.TEXT_DOCUMENT_DID_CHANGE, _changed),
        (types.TEXT_DOCUMENT_DID_CLOSE, _closed),
        (types.TEXT_DOCUMENT_DID_SAVE, _saved),
        (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, _saved),
        (types.TEXT_DOCUMENT_HOVER, _hover),
        (types.TEXT_DOCUMENT_DEFINITION, _definition),
        (types.TEXT_DOCUMENT_IMPLEMENTATION, _implementation),
        (types.TEXT_DOCUMENT_PREPARE_RENAME, _prepare_rename),
    ):
        server.feature(method)(handler)
    server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))(_rename)
    kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorRewrite, types.CodeActionKind.Source]
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(kinds))(_actions)
    server.command(GENERATE)(_generate)
    return server


def serve(reader: Sequence[str], generate: Sequence[str], seconds: float) -> None:
    """Talk to an editor over standard input and output, until it ends that."""
    logging.getLogger("pygls").addHandler(logging.NullHandler())  # the editor is told, see `report_server_error`
    make(reader, generate, seconds).start_io()
