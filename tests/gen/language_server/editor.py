"""An editor, as far as a language server can tell: pygls' own client, on one folder. Its server is in this process, or
is the program that editors start.

Rule: nothing sleeps. Whoever waits for the server waits for what it sends, and not forever.
"""

from __future__ import annotations

import ast
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

from lsprotocol import types
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient

from capnweb_gen.cli.lsp import GENERATE, READER, SECONDS
from capnweb_gen.language_server.server import Server, make
from capnweb_gen.language_server.text import Edit, Place, Span, Text

PATIENCE = 60
"""Seconds after which a server that says nothing is taken for hung."""

COMMAND = (sys.executable, "-P", "-m", "capnweb_gen.cli", "lsp")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Editor:
    """A server, and the files that are open in front of it.

    Args:
        folder: the workspace.
        client: what talks to the server.
    """

    def __init__(self, folder: Path, client: LanguageClient) -> None:
        self.folder = folder
        self.client = client
        self.capabilities = types.ServerCapabilities()
        self.messages: list[str] = []
        self.texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._news = asyncio.Condition()
        self._published: dict[str, types.PublishDiagnosticsParams] = {}

        async def published(params: types.PublishDiagnosticsParams) -> None:
            await self._take(params)

        async def shown(params: types.ShowMessageParams) -> None:
            await self._note(params.message)

        async def logged(params: types.LogMessageParams) -> None:
            await self._note(params.message)

        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(published)
        client.feature(types.WINDOW_SHOW_MESSAGE)(shown)
        client.feature(types.WINDOW_LOG_MESSAGE)(logged)

    async def _take(self, params: types.PublishDiagnosticsParams) -> None:
        async with self._news:
            self._published[params.uri] = params
            self._news.notify_all()

    async def _note(self, message: str) -> None:
        async with self._news:
            self.messages.append(message)
            self._news.notify_all()

    # ---- files

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str | None = None) -> None:
        """Open a file, with the text that it has on disk if nothing else is said."""
        uri = self.uri(name)
        self.texts[uri] = (self.folder / name).read_bytes().decode() if text is None else text
        self._versions[uri] = 1
        item = types.TextDocumentItem(uri, "python", 1, self.texts[uri])
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, name: str, text: str) -> None:
        """Replace the text of an open file, which is not saved."""
        uri = self.uri(name)
        self.texts[uri] = text
        self._versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(version=self._versions[uri], uri=uri)
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a part of an open file."""
        assert self.texts[self.uri(name)].count(old) == 1
        self.change(name, self.texts[self.uri(name)].replace(old, new))

    def save(self, name: str) -> None:
        """Write an open file, and say so."""
        uri = self.uri(name)
        (self.folder / name).write_bytes(self.texts[uri].encode())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(self._identifier(name)))

    def close(self, name: str) -> None:
        """Close a file without saving it."""
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self._identifier(name)))

    # ---- what is said of them

    async def faults(self, name: str) -> list[types.Diagnostic]:
        """What is wrong with the text that was shown last."""
        uri = self.uri(name)

        def is_told() -> bool:
            told = self._published.get(uri)
            return told is not None and told.version == self._versions[uri]

        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(is_told)
            return list(self._published[uri].diagnostics)

    async def until(self, name: str, wanted: Callable[[list[types.Diagnostic]], bool]) -> None:
        """Wait until what is said of a file is as wanted."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: wanted(self._said(name)))

    async def nothing_is_said(self, name: str) -> None:
        """Wait until nothing is said of a file."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: not self._said(name))

    def _said(self, name: str) -> list[types.Diagnostic]:
        told = self._published.get(self.uri(name))
        return list(told.diagnostics) if told else []

    async def message(self, part: str) -> str:
        """A message that the server shows or logs, once there is one with these words."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: any(part in message for message in self.messages))
            return next(message for message in self.messages if part in message)

    def published_for(self) -> set[str]:
        """The files of which anything was ever said."""
        return {uri.removeprefix(self.folder.as_uri() + "/") for uri in self._published}

    def shown(self, name: str, where: types.Range) -> str:
        """The part of a text that a range is."""
        text = Text(self.texts.get(self.uri(name)) or (self.folder / name).read_bytes().decode())
        start = text.from_protocol(where.start.line, where.start.character, utf16)
        end = text.from_protocol(where.end.line, where.end.character, utf16)
        assert start.line == end.line
        return text.line(start.line)[start.column - 1 : end.column - 1]

    # ---- requests

    def _identifier(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def at(self, name: str, words: str) -> types.Position:
        """Where some words are in a file, once; `|` among them is the cursor, or else it is at their start."""
        before, _, after = words.partition("|")
        return self.between(name, before if "|" in words else "", after if "|" in words else words)

    def between(self, name: str, before: str, after: str) -> types.Position:
        """The place between some words and others, which are there once."""
        text = self.texts.get(self.uri(name)) or (self.folder / name).read_bytes().decode()
        assert text.count(before + after) == 1, (before, after, text.count(before + after))
        offset = text.index(before + after) + len(before)
        start = text.rfind("\n", 0, offset) + 1
        return types.Position(text.count("\n", 0, offset), utf16(text[start:offset]))

    async def hover(self, name: str, words: str) -> str | None:
        params = types.HoverParams(self._identifier(name), self.at(name, words))
        async with asyncio.timeout(PATIENCE):
            found = await self.client.text_document_hover_async(params)
        if found is None:
            return None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def definition(self, name: str, words: str) -> list[str]:
        """Where something is: the file, the line, and what is in it."""
        return await self._definition(name, self.at(name, words))

    async def definition_at(self, name: str, before: str, after: str) -> list[str]:
        """The same of the place between some words and others."""
        return await self._definition(name, self.between(name, before, after))

    async def _definition(self, name: str, position: types.Position) -> list[str]:
        params = types.DefinitionParams(self._identifier(name), position)
        async with asyncio.timeout(PATIENCE):
            return self._places(await self.client.text_document_definition_async(params))

    async def implementation(self, name: str, words: str) -> list[str]:
        """The same of implementations."""
        return await self._implementation(name, self.at(name, words))

    async def implementation_at(self, name: str, before: str, after: str) -> list[str]:
        """The same of implementations, at the place between some words and others."""
        return await self._implementation(name, self.between(name, before, after))

    async def _implementation(self, name: str, position: types.Position) -> list[str]:
        params = types.ImplementationParams(self._identifier(name), position)
        async with asyncio.timeout(PATIENCE):
            return self._places(await self.client.text_document_implementation_async(params))

    def _places(self, found: Any) -> list[str]:
        told: list[str] = []
        for location in found:
            assert isinstance(location, types.Location)
            name = location.uri.removeprefix(self.folder.as_uri() + "/")
            lines = Text(self.texts.get(location.uri) or (self.folder / name).read_bytes().decode())
            told.append(f"{name}: {lines.line(location.range.start.line + 1).strip()}")
        return told

    async def rename(self, name: str, words: str, new: str) -> types.WorkspaceEdit | None:
        params = types.RenameParams(self._identifier(name), self.at(name, words), new)
        async with asyncio.timeout(PATIENCE):
            return await self.client.text_document_rename_async(params)

    async def prepare_rename(self, name: str, words: str) -> Any:
        params = types.PrepareRenameParams(self._identifier(name), self.at(name, words))
        async with asyncio.timeout(PATIENCE):
            return await self.client.text_document_prepare_rename_async(params)

    async def actions(self, name: str, words: str, only: Sequence[str] | None = None) -> list[types.CodeAction]:
        """What is offered at a place, with what is said there."""
        here = types.Range(self.at(name, words), self.at(name, words))
        told = self._published.get(self.uri(name))
        context = types.CodeActionContext(told.diagnostics if told else [], list(only) if only is not None else None)
        params = types.CodeActionParams(self._identifier(name), here, context)
        async with asyncio.timeout(PATIENCE):
            found = await self.client.text_document_code_action_async(params)
        return [one if isinstance(one, types.CodeAction) else _action(one) for one in found or ()]

    def apply(self, edit: types.WorkspaceEdit) -> set[str]:
        """Make edits: of open files in the editor, which are then saved, and of others on disk."""
        changes: dict[str, Sequence[Any]] = dict(edit.changes or {})
        for one in edit.document_changes or ():
            assert isinstance(one, types.TextDocumentEdit)
            assert one.text_document.version == self._versions.get(one.text_document.uri)
            changes[one.text_document.uri] = one.edits
        names: set[str] = set()
        for uri, edits in changes.items():
            name = uri.removeprefix(self.folder.as_uri() + "/")
            names.add(name)
            text = Text(self.texts.get(uri) or (self.folder / name).read_bytes().decode())
            made = [Edit(self._span(text, one.range), one.new_text) for one in edits]
            if uri in self.texts:
                self.change(name, text.edited(made))
                self.save(name)
            else:
                (self.folder / name).write_bytes(text.edited(made).encode())
        return names

    def _span(self, text: Text, where: types.Range) -> Span:
        def place(position: types.Position) -> Place:
            return text.from_protocol(position.line, position.character, utf16)

        return Span(place(where.start), place(where.end))

    # ---- below the protocol

    def send(self, message: Any) -> None:
        """Send anything at all, as one message."""
        body = message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()
        writer: Any = self.client.protocol.writer
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def ask(self, method: str, params: Any) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await self.client.protocol.send_request_async(method, params)


def _action(misread: types.Command) -> types.CodeAction:
    """An action that has a command, which the client takes for a command that is called like that."""
    return types.CodeAction(misread.title, command=types.Command(**ast.literal_eval(misread.command)))


@asynccontextmanager
async def editing(
    folder: Path,
    *,
    seconds: float = SECONDS,
    options: Any = None,
    versioned: bool = True,
    general: types.GeneralClientCapabilities | None = None,
) -> AsyncIterator[Editor]:
    """An editor that shows a folder, with a server of its own in this process, which spares the start of a program."""
    client = LanguageClient("tests", "1")
    editor = Editor(folder, client)
    async with _served(client, make(READER, GENERATE, seconds)):
        await _begun(editor, options, versioned, general)
        yield editor
        async with asyncio.timeout(PATIENCE):
            await client.shutdown_async(None)


@asynccontextmanager
async def editing_with_program(folder: Path, *arguments: str) -> AsyncIterator[Editor]:
    """An editor that shows a folder, and has started `capnweb-gen lsp`. In the end that is told to go, and must."""
    client = LanguageClient("tests", "1")
    editor = Editor(folder, client)
    await client.start_io(COMMAND[0], *COMMAND[1:], *arguments)
    try:
        await _begun(editor, None, True, None)
        yield editor
    finally:
        await _stop(client)


async def _begun(
    editor: Editor, options: Any, versioned: bool, general: types.GeneralClientCapabilities | None
) -> None:
    edits = types.WorkspaceEditClientCapabilities(document_changes=versioned)
    rename = types.RenameClientCapabilities(prepare_support=True)
    capabilities = types.ClientCapabilities(
        types.WorkspaceClientCapabilities(workspace_edit=edits),
        types.TextDocumentClientCapabilities(rename=rename),
        general=general,
    )
    uri = editor.folder.as_uri()
    params = types.InitializeParams(
        capabilities,
        root_uri=uri,
        workspace_folders=[types.WorkspaceFolder(uri, editor.folder.name)],
        initialization_options=options,
    )
    async with asyncio.timeout(PATIENCE):
        editor.capabilities = (await editor.client.initialize_async(params)).capabilities
    editor.client.initialized(types.InitializedParams())


@asynccontextmanager
async def _served(client: LanguageClient, server: Server) -> AsyncIterator[None]:
    """Messages go to and fro through a socket. The server ends when the client has nothing more to say, and must."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.protocol.set_writer(writer)
        try:
            await run_async(Event(), reader, server.protocol, error_handler=server.report_server_error)
        finally:
            await server.service.end()  # of a test that failed
            writer.close()
            ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        await client.start_tcp(*listening.sockets[0].getsockname())
        try:
            yield
        finally:
            assert client.protocol.writer is not None
            client.protocol.writer.close()
            async with asyncio.timeout(PATIENCE):
                await ended.wait()
                await client.stop()  # type: ignore[no-untyped-call]  # it has no types


async def _stop(client: LanguageClient) -> None:
    process = client._server
    assert process is not None
    try:
        async with asyncio.timeout(PATIENCE):
            if process.returncode is None:
                await client.shutdown_async(None)
                client.exit(None)
            await client.stop()  # type: ignore[no-untyped-call]  # it has no types
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
