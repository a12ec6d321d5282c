"""Files that forges and container engines read: of the form that they expect, and naming what is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.project.reading import free_port
from tests.project.sources import ROOT

PROGRAMS = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DEMO = ROOT / "examples" / "demo"
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"],
    "github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "readthedocs": [ROOT / ".readthedocs.yaml"],
    "compose-spec": [DEMO / "compose.yaml"],
}

pytestmark = pytest.mark.any_python


def commands(workflow: Path) -> list[str]:
    """What a workflow runs, line by line."""
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [line for job in jobs for step in job["steps"] for line in step.get("run", "").splitlines()]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_is_of_the_form_that_its_reader_expects(schema: str) -> None:
    assert SCHEMAS[schema]
    command: list[str | Path] = [PROGRAMS / "check-jsonschema", "--builtin-schema", f"vendor.{schema}"]
    command += SCHEMAS[schema]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_workflows_run_what_is_there() -> None:
    named = {
        target for path in WORKFLOWS for line in commands(path) for target in re.findall(r"\bmake ([a-z-]+)", line)
    }
    (nightly,) = (path for path in WORKFLOWS if path.stem == "nightly")
    matrix = yaml.safe_load(nightly.read_text("utf-8"))["jobs"]["nightly"]["strategy"]["matrix"]["command"]
    assert named | set(matrix) <= targets()
    for line in (line for path in WORKFLOWS for line in commands(path)):
        assert all((ROOT / program).exists() for program in re.findall(r"\.ci/[\w.-]+", line))


def test_workflows_may_read_and_have_a_bound() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_hooks_before_a_commit_are_commands_of_the_environment() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    for hook in repository["hooks"]:
        program = Path(hook["entry"].split()[0])
        assert program.parts[:2] == (".venv", "bin")
        assert (PROGRAMS / program.name).exists()


def test_the_image_of_the_demo_passes_the_linter() -> None:
    done = subprocess.run(
        [PROGRAMS / "hadolint", DEMO / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout


def test_what_the_image_copies_is_there_and_is_not_ignored() -> None:
    lines = (DEMO / "Dockerfile").read_text("utf-8").splitlines()
    copied = [
        source for line in lines if line.startswith("COPY ") and "--from" not in line for source in line.split()[1:-1]
    ]
    kept = [line[1:] for line in (DEMO / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"]
    assert copied
    for source in (source.removeprefix("./") for source in copied):
        assert (ROOT / source).exists()
        assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in kept), source


def test_the_services_do_by_hand_what_they_do_in_containers() -> None:
    services: dict[str, Any] = yaml.safe_load((DEMO / "compose.yaml").read_text("utf-8"))["services"]
    port = str(free_port())

    def here(command: list[str]) -> list[str]:
        command = [part.replace("8080", port).replace("/opt/venv/bin", str(PROGRAMS)) for part in command]
        return [
            part.replace("--host=0.0.0.0", "--host=127.0.0.1").replace("//server:", "//127.0.0.1:") for part in command
        ]

    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    run: dict[str, Any] = {"cwd": ROOT, "env": environment, "text": True}
    with subprocess.Popen(
        here([*services["server"]["command"], "--hosts=server,127.0.0.1"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        **run,
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("serving ws://")
            check = here(services["server"]["healthcheck"]["test"][1:])
            subprocess.run(check, timeout=60, check=True, **run)
            asked = subprocess.run(
                here(services["client"]["command"]), capture_output=True, timeout=60, check=True, **run
            )
            assert '"name": "Grace"' in asked.stdout, shlex.join(services["client"]["command"])
        finally:
            server.terminate()
            server.wait(60)
