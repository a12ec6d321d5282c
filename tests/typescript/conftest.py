"""The programs of this folder, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typescript.node import FOLDER, build


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what `tsc --strict` makes of `programs` and `generated`."""
    return build(FOLDER, tmp_path_factory.mktemp("typescript"))
