"""Environments that hold what was built and what it asks for, and nothing else."""

from __future__ import annotations

import email
import importlib.metadata
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program without the environment's say in what Python imports; return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def link_dependencies(site_packages: Path, requirements: list[str]) -> None:
    """Put the installed distributions that ``requirements`` ask for, and what those ask for, into an empty environment.

    They are linked, not downloaded: this needs no network, and what is not declared stays absent all the same.
    """
    waiting, seen = [Requirement(text) for text in requirements], set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(requirement.name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            (site_packages / top).symlink_to(str(distribution.locate_file(top)))
        waiting += [Requirement(text) for text in distribution.requires or []]


def build(project: Path, out: Path) -> Path:
    """Build the wheel of a project into a folder."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, project, cwd=out)
    (made,) = out.glob("*.whl")
    return made


def requirements(wheel: Path) -> list[str]:
    """What a wheel declares that it needs."""
    with zipfile.ZipFile(wheel) as held:
        (metadata,) = (name for name in held.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(held.read(metadata)).get_all("Requires-Dist", [])


def environment(folder: Path, wheel: Path) -> Path:
    """Make an environment of a wheel and what that declares; return its folder of programs."""
    venv.create(folder, with_pip=False, symlinks=True)
    options = ["--quiet", "--no-index", "--no-deps"]
    run(sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", *options, wheel, cwd=folder)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    link_dependencies(site_packages, requirements(wheel))
    return folder / "bin"
