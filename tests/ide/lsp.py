"""A language server as an editor runs it: started, shown a file, and asked what it would offer at the cursor.

Rule: one request at a time, in the order of the calls. What the server asks back is answered as a plain editor would.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 60
"""Seconds after which a server that does not answer is taken for hung."""

Message = dict[str, Any]
Position = dict[str, int]


class LanguageServer:
    """A server over its standard input and output, for one folder.

    Args:
        command: what starts it.
        folder: the workspace.
        settings: what it is given when it asks for its configuration, by section.
    """

    def __init__(self, command: Sequence[str], folder: Path, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._ids = itertools.count(1)
        self._diagnostics: dict[tuple[str, int], list[Message]] = {}
        self._versions: dict[str, int] = {}
        self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        formats = {"completionItem": {"documentationFormat": ["markdown"]}}
        plain = {"contentFormat": ["markdown"]}
        signature = {"signatureInformation": {"parameterInformation": {"labelOffsetSupport": False}}}
        text = {"completion": formats, "hover": plain, "signatureHelp": signature, "publishDiagnostics": {}}
        capabilities = {"workspace": {"configuration": True, "workspaceFolders": True}, "textDocument": text}
        workspace = {"uri": folder.as_uri(), "name": folder.name}
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "workspaceFolders": [workspace],
                "capabilities": capabilities,
            },
        )
        self._notify("initialized", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server: politely, or else by killing it."""
        try:
            self.request("shutdown", None)
            self._notify("exit", None)
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.communicate()

    def show(self, path: Path, text: str) -> None:
        """Open a file in the editor, or replace its text. It need not exist on disk."""
        uri = path.as_uri()
        version = self._versions[uri] = self._versions.get(uri, 0) + 1
        if version == 1:
            document = {"uri": uri, "languageId": "python", "version": version, "text": text}
            self._notify("textDocument/didOpen", {"textDocument": document})
        else:
            document = {"uri": uri, "version": version}
            self._notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def ask(self, what: str, path: Path, position: Position) -> Any:
        """The result of a request about a place in a file, such as ``ask("hover", path, position)``."""
        return self.request(f"textDocument/{what}", {"textDocument": {"uri": path.as_uri()}, "position": position})

    def diagnostics(self, path: Path) -> list[Message]:
        """What the server finds wrong with the text that it was shown last."""
        key = (path.as_uri(), self._versions[path.as_uri()])
        watchdog = self._watchdog()
        try:
            while key not in self._diagnostics:
                self._handle(self._read())
        finally:
            watchdog.cancel()
        return self._diagnostics[key]

    def request(self, method: str, params: Any) -> Any:
        """Send a request and return its result.

        Raises:
            RuntimeError: the server answered with an error.
            EOFError: the server ended, or was taken for hung.
        """
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        watchdog = self._watchdog()
        try:
            while True:
                message = self._read()
                if message.get("id") == number and "method" not in message:
                    break
                self._handle(message)
        finally:
            watchdog.cancel()
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message.get("result")

    def _watchdog(self) -> threading.Timer:
        timer = threading.Timer(PATIENCE, self._process.kill)
        timer.daemon = True
        timer.start()
        return timer

    def _handle(self, message: Message) -> None:
        """A notification, or a request of the server's own."""
        method, params = message.get("method"), message.get("params")
        if method == "textDocument/publishDiagnostics":
            assert params is not None
            self._diagnostics[params["uri"], params.get("version", 0)] = params["diagnostics"]
        elif method == "workspace/configuration":
            assert params is not None
            answers = [self._settings.get(item.get("section", ""), {}) for item in params["items"]]
            self._send({"id": message["id"], "result": answers})
        elif "id" in message:
            self._send({"id": message["id"], "result": None})

    def _notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Message) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> Message:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise EOFError(f"the language server ended with {self._process.poll()}")
        message: Message = json.loads(self._process.stdout.read(length))
        return message
