"""Environments are made once, and what cannot be installed is left out with the reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench import environments


class Installer:
    """Stands in for venv and pip, and keeps what it was asked for."""

    def __init__(self, folder: Path, refused: set[str]) -> None:
        self.folder = folder
        self.refused = refused
        self.asked: list[str] = []

    def __call__(self, command: list[str]) -> str | None:
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True, exist_ok=True)
            return None
        self.asked.append(Path(command[-1]).name)
        lines = [command[-1]] if "-r" not in command else Path(command[-1]).read_text("utf-8").splitlines()
        refused = self.refused & set(lines)
        return f"No matching distribution found for {refused.pop()}" if refused else None


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    (tmp_path / "some.txt").write_text("# what is needed\none==1\ntwo==2\n", "utf-8")
    stand_in = Installer(tmp_path, set())
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "environments")
    monkeypatch.setattr(environments, "PEERS", tmp_path)
    monkeypatch.setattr(environments, "_run", stand_in)
    return stand_in


def test_environment_is_made_once(installer: Installer) -> None:
    said: list[str] = []
    assert environments.prepare("some", "some.txt", said.append) is None
    assert environments.prepare("some", "some.txt", said.append) is None
    assert installer.asked == ["some.txt"]
    assert said == ["installing some.txt into environments/some"]


def test_environment_is_made_anew_when_the_requirements_change(installer: Installer, tmp_path: Path) -> None:
    environments.prepare("some", "some.txt", print)
    (tmp_path / "some.txt").write_text("one==2\n", "utf-8")
    environments.prepare("some", "some.txt", print)
    assert installer.asked == ["some.txt", "some.txt"]


def test_what_cannot_be_installed_does_not_keep_the_rest_from_it(installer: Installer) -> None:
    installer.refused = {"two==2"}
    reason = environments.prepare("some", "some.txt", print)
    assert reason == "two==2: No matching distribution found for two==2"
    assert installer.asked == ["some.txt", "one==1", "two==2"]


def test_versions_are_known_by_normalized_name_and_none_without_an_environment() -> None:
    assert "pydantic-core" in environments.versions(sys.executable)
    assert environments.versions("no-such-python") == {}


def test_failure_is_told_in_the_words_of_what_failed() -> None:
    program = "import sys; sys.exit('noise\\nfatal: no such host\\nERROR: a subprocess failed\\nnote: see above')"
    assert environments._run([sys.executable, "-c", program]) == "no such host"
    assert environments._run([sys.executable, "-c", "import sys; sys.exit(3)"]) == "exit status 3"
    assert environments._run([sys.executable, "-c", "pass"]) is None
