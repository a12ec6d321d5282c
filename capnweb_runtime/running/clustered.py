"""The cluster of a worker that was started on the command line. Rule: each worker listens at a port of its own, and all
know one secret, which stands on no command line.

Only imported where a cluster is asked for.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from capnweb_runtime.running.failures import Failed, reason
from capnweb_runtime.running.options import SECRET
from capnweb_runtime.scale.cluster.cluster import Cluster
from capnweb_runtime.scale.contract import Backplane

_RANGE: Final = re.compile(r"(.*):(\d{1,5})-(\d{1,5})", re.ASCII)


@asynccontextmanager
async def clustered(backplane: Backplane, listen: str, file: str | None) -> AsyncIterator[Cluster]:
    """A worker's part in the cluster, for as long as the block lasts.

    Parameters:
        backplane: of the worker.
        listen: where other workers reach it; "10.0.0.1:4000-4015" is the first port of these that is free.
        file: has the secret; None means that the environment has it.

    Raises:
        Failed: there is no such address, or no secret.
    """
    secret = secret_in(file)
    for place in _places(listen):
        cluster = _cluster(backplane, place, secret)
        try:
            await cluster.__aenter__()
        except OSError as error:
            if error.errno == errno.EADDRINUSE and place != listen:
                continue
            raise Failed(f"--cluster cannot listen at {place}: {reason(error)}") from None
        try:
            yield cluster
        finally:
            await cluster.drain()
        return
    raise Failed(f"--cluster finds no port that is free among {listen}: there have to be more than workers")


def secret_in(file: str | None) -> str | None:
    """The secret, of a file or of the environment; None if there is none.

    Raises:
        Failed: the file cannot be read.
    """
    if file is None:
        return os.environ.get(SECRET)
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is no text"
        raise Failed(f"cannot read {file}: {why}") from None


def _places(listen: str) -> Iterator[str]:
    found = _RANGE.fullmatch(listen)
    if found is None:
        yield listen
        return
    for port in range(int(found[2]), int(found[3]) + 1):
        yield f"{found[1]}:{port}"


def _cluster(backplane: Backplane, listen: str, secret: str | None) -> Cluster:
    try:
        return Cluster(backplane, listen=listen, secret=secret)
    except ValueError as error:
        raise Failed(
            f"--cluster cannot be {listen}: {error}. The secret stands in {SECRET}, or in the file of --cluster-secret",
            code=2,
        ) from None
