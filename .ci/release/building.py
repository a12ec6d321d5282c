"""The two files of a release. Rule: the same commit gives the same bytes, wherever and whenever it is built."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

from steps import Failed

PACKAGES = ("capnweb_gen", "capnweb_runtime")
SOURCES = {*PACKAGES, "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO", ".gitignore"}


def clean(root: Path) -> None:
    """Fails if there are changes that are not committed."""
    changed = _git(root, "status", "--porcelain")
    if changed:
        raise Failed(f"there are changes that are not committed; commit them, or give --allow-dirty:\n{changed}")


def epoch(root: Path) -> str:
    """Seconds since 1970 of the last commit: what the files in the archives are dated."""
    return _git(root, "log", "-1", "--format=%ct")


def version(root: Path) -> str:
    """The version that pyproject.toml gives."""
    found: str = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return found


def in_changelog(root: Path, number: str) -> str:
    """How the changelog tells of a version."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    if re.search(rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE):
        return "the changelog has its section"
    if re.search(r"^## \[Unreleased\]$", text, re.MULTILINE):
        return "still under Unreleased in the changelog: give the section its number and date before uploading"
    raise Failed(f"CHANGELOG.md has no section [{number}] and none that is Unreleased")


def reproducibly(root: Path, scratch: Path, dated: str) -> list[Path]:
    """Builds wheel and source distribution twice, from copies in two places, and compares.

    Parameters:
        root: the checkout.
        scratch: a folder for what is made.
        dated: see `epoch`.

    Returns:
        The files of the first build.
    """
    made = [_built(root, scratch / place, dated) for place in ("first", "a second place")]
    for one, other in zip(*made, strict=True):
        if one.read_bytes() != other.read_bytes():
            raise Failed(f"{one.name} differs from build to build")
    return made[0]


def _built(root: Path, place: Path, dated: str) -> list[Path]:
    source, out = place / "source", place / "out"
    for name in _git(root, "ls-files", "-z").split("\0"):
        if name and (root / name).is_file() and not name.startswith(("tests/", "docs/", "examples/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, source / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source]
    environment = os.environ | {"SOURCE_DATE_EPOCH": dated, "PYTHONHASHSEED": "0"}
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return sorted(out.iterdir())


def contents(files: list[Path]) -> None:
    """Fails if there is something in the files that is not to be published, or if the types are missing."""
    for file in files:
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as wheel:
                names = wheel.namelist()
            strange = {name.partition("/")[0] for name in names} - set(PACKAGES)
            strange = {name for name in strange if not name.endswith(".dist-info")}
            missing = {f"{package}/py.typed" for package in PACKAGES} - set(names)
        else:
            with tarfile.open(file) as sdist:
                inside = {name.split("/")[1] for name in sdist.getnames() if "/" in name}
            strange, missing = inside - SOURCES, {"LICENSE", "pyproject.toml"} - inside
        if strange or missing:
            raise Failed(f"{file.name}: not expected {sorted(strange)}, missing {sorted(missing)}")


def put(files: list[Path], dist: Path) -> None:
    """Puts the files where they can be uploaded from, with their sums."""
    dist.mkdir(exist_ok=True)
    for old in [*dist.glob("capnweb_gen-*"), *dist.glob("SHA256SUMS")]:
        old.unlink()
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    for file in files:
        shutil.copyfile(file, dist / file.name)
    (dist / "SHA256SUMS").write_text("".join(sums), "utf-8")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip("\n")
