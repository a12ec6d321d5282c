"""The files: `python -m examples.file_server.server --folder FOLDER --password PASSWORD --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
import hmac
import os

from capnweb_runtime import serve
from examples.file_server.folders import Reading, Writing
from examples.file_server.generated.file_server import FileServerTarget, FolderTarget, ReadFolderTarget
from examples.file_server.paths import FOLDER
from examples.file_server.schemas.file_server import WrongPassword


class FileServer(FileServerTarget):
    """What a client gets first."""

    def __init__(self, folder: str, password: str) -> None:
        self._folder = folder
        self._password = password

    def reading(self) -> ReadFolderTarget:
        return Reading(os.open(self._folder, FOLDER))

    def writing(self, password: str) -> FolderTarget:
        if not hmac.compare_digest(password.encode(), self._password.encode()):
            raise WrongPassword
        return Writing(os.open(self._folder, FOLDER))


async def main(folder: str, password: str, port: int) -> None:
    """Serve until a signal."""
    async with serve(lambda peer: FileServer(folder, password), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.file_server.server", description=__doc__)
    parser.add_argument("--folder", required=True, help="what is served")
    parser.add_argument("--password", required=True, help="of those who may write")
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.folder, options.password, options.port))
