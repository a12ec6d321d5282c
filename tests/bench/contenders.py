"""Who is compared: each contender's programs, what it can do, and where it runs. Rule: to add one is one row here and
one program in peers/.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.bench import environments
from tests.bench.processes import NODE, PYTHON

ALL = ("a", "b64", "b1000", "c", "d", "e", "f", "f100k", "g")
REFERENCE = "npm"
OURS = ("ours", "ours-uvloop")
ENVIRONMENTS = {"peers": "requirements.txt", "fork": "requirements-fork.txt"}


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the comparison.

    Attributes:
        key: its name in the results.
        title: its name in the table.
        server: command of the server, "{port}" standing for the port; contenders with the same command share one.
        client: command of the client, without the workload.
        workloads: what it can do.
        environment: the environment of a peer; None for what the project itself installs.
        package: the distribution that has to be there.
    """

    key: str
    title: str
    server: tuple[str, ...]
    client: tuple[str, ...]
    workloads: tuple[str, ...] = ALL
    environment: str | None = None
    package: str | None = None


def _peer(key: str, module: str, package: str, leaves_out: Iterable[str], environment: str = "peers") -> Contender:
    program = (environments.python_of(environment), "-m", f"tests.bench.peers.{module}")
    return Contender(
        key,
        key,
        (*program, "serve", "{port}"),
        program,
        tuple(workload for workload in ALL if workload not in set(leaves_out)),
        environment,
        package,
    )


_OUR_SERVER = (*PYTHON, "tests.bench.server", "{port}")
_OUR_CLIENT = (*PYTHON, "tests.bench.client")
_OUR_FAST_SERVER = (*_OUR_SERVER, "--uvloop")
_OUR_FAST_CLIENT = (*_OUR_CLIENT, "--uvloop")
EITHER_END = ("b64", "b1000", "c")
_NPM_SERVER = (*NODE, "tests/bench/server.mjs", "{port}")
_NPM_CLIENT = (*NODE, "tests/bench/client.mjs")

CONTENDERS = (
    Contender("ours", "capnweb-gen", _OUR_SERVER, _OUR_CLIENT),
    Contender("ours-uvloop", "capnweb-gen, uvloop", _OUR_FAST_SERVER, _OUR_FAST_CLIENT),
    Contender("npm", "npm capnweb", _NPM_SERVER, _NPM_CLIENT),
    Contender("ours-npm", "capnweb-gen, uvloop → npm capnweb", _NPM_SERVER, _OUR_FAST_CLIENT, EITHER_END),
    Contender("npm-ours", "npm capnweb → capnweb-gen, uvloop", _OUR_FAST_SERVER, _NPM_CLIENT, EITHER_END),
    _peer("py-capnweb", "py_capnweb", "py-capnweb", ("c", "f", "f100k", "g")),
    _peer("capnweb-python", "capnweb_python", "py-capnweb", (), "fork"),
    _peer("grpc.aio", "grpc_aio", "grpcio", ("e", "f", "f100k")),
    _peer("pycapnp", "pycapnp_rpc", "pycapnp", ("e",)),
    _peer("rpyc", "rpyc_calls", "rpyc", ("e", "g")),
)
