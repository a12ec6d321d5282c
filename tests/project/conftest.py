"""What several tests of this folder install."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.installing import build, environment
from tests.project.sources import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this repository."""
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of an environment that holds the wheel and its declared dependencies alone."""
    return environment(tmp_path_factory.mktemp("installed") / "venv", wheel)
