"""What `capnweb-gen init` starts installs, serves, and passes its own tests and checks, as its Dockerfile says.

There is no Docker here: what the Dockerfile copies is copied, what it installs is installed, and what it starts is
started, into a folder of its own.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.project.installing import link_dependencies, requirements, run
from tests.project.sources import ROOT

pytestmark = pytest.mark.slow

FORGOTTEN = "\n\nasync def forget(greeter: GreeterStub) -> None:\n    greeter.greet('Ada')\n"


@pytest.fixture(scope="module")
def project(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Start a project with the installed command."""
    folder = tmp_path_factory.mktemp("projects")
    run(installed / "capnweb-gen", "init", "my-shop", cwd=folder)
    return folder / "my-shop"


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """A copy of the project, to be spoilt."""
    return Path(shutil.copytree(project, tmp_path / "copy"))


def test_its_own_tests_pass(project: Path) -> None:
    assert "2 passed" in run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=project)


def test_its_tests_fail_while_generated_code_is_older_than_the_schema(copy: Path) -> None:
    schema = copy / "my_shop/schemas/greeter.py"
    schema.write_text(schema.read_text().replace("    number: int\n", "    number: int\n    mood: str = ''\n"))
    with pytest.raises(
        AssertionError, match="Greeting has gained 'mood'; run: capnweb-gen my_shop/schemas --out my_shop"
    ):
        run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=copy)


def test_type_checkers_are_content_and_find_a_forgotten_await(copy: Path) -> None:
    assert run(sys.executable, "-m", "mypy", cwd=copy).startswith("Success")
    found = run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", cwd=copy)
    summary = json.loads(found)["summary"]
    assert (summary["errorCount"], summary["warningCount"]) == (0, 0)
    assert summary["filesAnalyzed"] > 5
    with (copy / "my_shop/client.py").open("a") as client:
        client.write(FORGOTTEN)
    with pytest.raises(AssertionError, match=r"my_shop/client.py:\d+: error: .*\[unused-awaitable\]"):
        run(sys.executable, "-m", "mypy", cwd=copy)


def test_its_generated_code_is_up_to_date(project: Path, installed: Path) -> None:
    assert run(installed / "capnweb-gen", "check", cwd=project) == ""


def test_it_names_no_place_of_the_machine_it_was_started_on(project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text("utf-8")
            assert not any(str(place) in text for place in (ROOT, project.parent, Path.home(), sys.prefix)), path


def instructions(project: Path) -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, in order: what each is, and its arguments."""
    text = re.sub(r"^#.*\n", "", (project / "Dockerfile").read_text("utf-8"), flags=re.M)
    return [(what, rest) for what, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def copied(project: Path) -> list[tuple[str, str]]:
    """What the Dockerfile copies from the project: each source, and where to."""
    arguments = [rest.split() for what, rest in instructions(project) if what == "COPY" and not rest.startswith("--")]
    return [(source, target) for *sources, target in arguments for source in sources]


def test_the_dockerfile_copies_what_is_there_and_runs_without_root(project: Path) -> None:
    found = instructions(project)
    assert {rest.split()[0] for what, rest in found if what == "FROM"} == {"python:3.12-slim"}
    kept = [line[1:] for line in (project / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for source, _ in copied(project):
        assert (project / source).exists(), source
        assert source in kept, f".dockerignore leaves out {source}"
    last = [what for what, _ in found[max(i for i, (what, _) in enumerate(found) if what == "FROM") :]]
    user = next(rest for what, rest in found if what == "USER")
    assert last.index("USER") < last.index("CMD")
    assert f"useradd --system --no-create-home {user}" in [rest for what, rest in found if what == "RUN"]


@pytest.fixture(scope="module")
def image(project: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do what the Dockerfile says of its environment; return the interpreter of that."""
    folder = tmp_path_factory.mktemp("image")
    context, environment = folder / "context", folder / "venv"
    context.mkdir()
    for source, target in copied(project):
        if (project / source).is_dir():
            shutil.copytree(project / source, context / target)
        else:
            shutil.copy(project / source, context / target)
    shutil.copy(wheel, context / "wheels")
    venv.create(environment, with_pip=False, symlinks=True)
    (site_packages,) = environment.glob("lib/python*/site-packages")
    link_dependencies(site_packages, [*requirements(wheel), "hatchling"])  # this needs no network then
    (install,) = [
        rest.partition(" && ")[2] for what, rest in instructions(project) if what == "RUN" and "pip install" in rest
    ]
    pip, *arguments = shlex.split(install)
    assert pip == "/opt/venv/bin/pip"
    python = environment / "bin" / "python"
    offline = ["--quiet", "--no-index", "--no-build-isolation"]
    run(sys.executable, "-m", "pip", "--python", python, *arguments, *offline, cwd=context)
    return python


@contextmanager
def served(project: Path, image: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start what the Dockerfile starts, on a free port of this machine; give the process and its URL."""
    (command,) = [json.loads(rest) for what, rest in instructions(project) if what == "CMD"]
    assert (command[0], command[-2:]) == ("/opt/venv/bin/python", ["8080", "0.0.0.0"])
    assert ("EXPOSE", "8080") in instructions(project)
    process = subprocess.Popen(
        [str(image), *command[1:-2], "0", "127.0.0.1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_what_the_image_installs_serves_and_calls_from_anywhere(project: Path, image: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "pip", "--python", image, "check", cwd=tmp_path)
    with served(project, image, tmp_path) as (_, url):
        printed = run(image, "-m", "my_shop.client", url, cwd=tmp_path)
    assert printed.split("\n") == ["HELLO, ADA!", "3", "2", "1", ""]


def test_what_stops_the_container_ends_the_server_in_silence(project: Path, image: Path, tmp_path: Path) -> None:
    stop = next((rest for what, rest in instructions(project) if what == "STOPSIGNAL"), "SIGTERM")
    with served(project, image, tmp_path) as (process, url):
        run(
            image, "-m", "my_shop.client", url, cwd=tmp_path
        )  # what answers can be told to stop; what has printed, soon
        process.send_signal(signal.Signals[stop])
        printed = process.communicate(timeout=60)
    assert (process.returncode, *printed) == (0, "", "")
