"""The process that reads schemas, seen from the server: started, asked, and ended when it does not answer.

Rule: whatever a schema does, an answer comes in bounded time. A process that was ended is replaced by the next request.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from capnweb_gen.language_server.messages import Answer, Fault, Request, parse_answer, written

GRACE = 5.0
"""Seconds that a process has, beyond those of a request, to end by itself."""

MOST = 500
"""Requests after which a process is replaced: classes that were imported again and again are never given back."""

_FRAME = re.compile(r'File "(.+)", line (\d+) in ')
_LONGEST_ANSWER = 2**28  # bytes


class Reader:
    """One such process, for one project. Requests are answered one after the other.

    Args:
        command: what starts it; the file for its trace is added.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: Process | None = None
        self._trace: Path | None = None
        self._asked = 0
        self._lock = asyncio.Lock()

    async def ask(self, request: Request) -> Answer:
        """Have schemas read. What goes wrong is the `problem` of the answer."""
        async with self._lock:
            try:
                return await self._ask(request)
            except BaseException:
                await self.close()  # whose answer would be taken for that to the next request
                raise

    async def _ask(self, request: Request) -> Answer:
        try:
            process = await self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(written(request))
            async with asyncio.timeout(request.seconds + GRACE):
                await process.stdin.drain()
                line = await process.stdout.readline()
                if not line.endswith(b"\n"):
                    return await self._ended(process, request)
        except TimeoutError:
            await self.close()
            return _late(request, "")
        except OSError as error:
            await self.close()
            return Answer(problem=f"schemas could not be read: {error}")
        self._asked += 1
        answer = parse_answer(line)
        if self._asked >= MOST:
            await self.close()
        return answer

    async def _started(self) -> Process:
        if self._process is None:
            descriptor, name = tempfile.mkstemp(prefix="capnweb-gen-", suffix=".trace")
            os.close(descriptor)
            self._trace, self._asked = Path(name), 0
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                name,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=_LONGEST_ANSWER,
                start_new_session=sys.platform != "win32",  # so that what schemas start ends with it
            )
        return self._process

    async def _ended(self, process: Process, request: Request) -> Answer:
        """What to say of a process that ended in place of an answer."""
        code = await process.wait()
        trace = self._trace.read_text("utf-8", errors="replace") if self._trace else ""
        await self.close()
        if trace:
            return _late(request, trace)
        return Answer(problem=f"reading the schemas ended the process that does it, with exit code {code}")

    async def close(self) -> None:
        """End the process, and what it has started."""
        process, self._process = self._process, None
        trace, self._trace = self._trace, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if trace is not None:
            trace.unlink(missing_ok=True)


def _late(request: Request, trace: str) -> Answer:
    """What to say of schemas that took too long, and where, if that is known."""
    took = f"took longer than {request.seconds:g} seconds, and was given up"
    for name, line in _FRAME.findall(trace):
        path = Path(name)
        if path.is_relative_to(request.folder) and "site-packages" not in path.parts:
            message = f"importing this schema {took}: it was in this line"
            hint = "what a schema does when it is imported has to end soon"
            fault = Fault(path=name, file=path.name, line=int(line), column=1, message=message, hint=hint)
            return Answer(faults=(fault,), problem=message)
    return Answer(problem=f"reading the schemas {took}")
