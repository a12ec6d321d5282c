"""`make release`: the same commit gives the same bytes, and what must not be published is seen."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.project.sources import ROOT


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The modules of `.ci/release`, which is a folder of programs and no package."""
    monkeypatch.syspath_prepend(str(ROOT / ".ci" / "release"))
    names = ("steps", "building", "bill", "trying")
    yield {name: __import__(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)


def wheel(folder: Path, *names: str) -> Path:
    path = folder / "capnweb_gen-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as written:
        for name in names:
            written.writestr(name, "")
    return path


def sdist(folder: Path, *names: str) -> Path:
    path = folder / "capnweb_gen-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as written:
        for name in names:
            written.addfile(tarfile.TarInfo(f"capnweb_gen-1.0/{name}"), io.BytesIO())
    return path


@pytest.mark.slow
def test_both_files_are_the_same_from_whichever_folder_they_are_built(
    release: dict[str, ModuleType], tmp_path: Path
) -> None:
    building = release["building"]
    files = building.reproducibly(ROOT, tmp_path, "1700000000")
    assert [file.suffix for file in files] == [".whl", ".gz"]
    building.contents(files)
    building.put(files, tmp_path / "dist")
    sums = (tmp_path / "dist" / "SHA256SUMS").read_text("utf-8")
    assert all(file.name in sums and (tmp_path / "dist" / file.name).exists() for file in files)


def test_a_file_that_is_not_to_be_published_is_seen(release: dict[str, ModuleType], tmp_path: Path) -> None:
    typed = ("capnweb_gen/py.typed", "capnweb_runtime/py.typed", "capnweb_gen-1.0.dist-info/METADATA")
    release["building"].contents([wheel(tmp_path, *typed), sdist(tmp_path, "LICENSE", "pyproject.toml")])
    with pytest.raises(release["steps"].Failed, match=r"not expected \['tests'\]"):
        release["building"].contents([wheel(tmp_path, *typed, "tests/test_a.py")])
    with pytest.raises(release["steps"].Failed, match=r"missing \['capnweb_runtime/py.typed'\]"):
        release["building"].contents([wheel(tmp_path, "capnweb_gen/py.typed")])
    with pytest.raises(release["steps"].Failed, match=r"not expected \['\.env'\]"):
        release["building"].contents([sdist(tmp_path, "LICENSE", "pyproject.toml", ".env")])


def test_the_changelog_has_to_tell_of_the_version(release: dict[str, ModuleType], tmp_path: Path) -> None:
    told = release["building"].in_changelog
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.0.0] - 2026-11-27\n", "utf-8")
    assert told(tmp_path, "1.0.0") == "the changelog has its section"
    with pytest.raises(release["steps"].Failed, match=r"no section \[1\.0\.1\]"):
        told(tmp_path, "1.0.1")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", "utf-8")
    assert "Unreleased" in told(tmp_path, "1.0.1")


@pytest.mark.parametrize(
    ("licence", "known"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("License :: OSI Approved :: BSD License", True),
        ("GPL-3.0-only", False),
        ("", False),
    ],
)
def test_a_licence_that_nobody_has_looked_at_is_seen(release: dict[str, ModuleType], licence: str, known: bool) -> None:
    assert release["bill"]._known(licence) is known


def test_a_python_that_is_not_here_is_told_and_not_taken_for_another(release: dict[str, ModuleType]) -> None:
    running = "{}.{}".format(*sys.version_info[:2])
    found = release["trying"].pythons([running, "3.99"])
    assert found[running] is not None
    assert found["3.99"] is None
