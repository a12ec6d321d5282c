"""Runs `server.mjs` in Node.

The npm packages are those beside it or, in a checkout, those of the tests.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.form.processes import READY, Program

HERE = Path(__file__).parent
PACKAGES = (HERE / "node_modules", HERE.parents[1] / "tests" / "interop" / "node_modules")


@asynccontextmanager
async def served() -> AsyncGenerator[str]:
    """Start the server, give its URL, and end it afterwards.

    Raises:
        RuntimeError: Node or the packages are missing, or the server does not start.
    """
    packages = next((folder for folder in PACKAGES if (folder / "capnweb").is_dir()), None)
    node = shutil.which("node")
    if node is None or packages is None:
        raise RuntimeError("this example needs Node 20, and npm install in examples/typescript_server")
    with TemporaryDirectory() as folder:
        # Node looks for packages beside a file, wherever it is run.
        shutil.copy(HERE / "server.mjs", folder)
        (Path(folder) / "node_modules").symlink_to(packages)
        process = await asyncio.create_subprocess_exec(
            node, str(Path(folder) / "server.mjs"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        program = Program("", process)
        try:
            said = await program.line()
            if not said.startswith(READY):
                raise RuntimeError(f"server.mjs was to say {READY!r} and a URL, and said: {said}")
            yield said.removeprefix(READY)
        finally:
            await program.stop()
