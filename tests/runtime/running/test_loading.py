"""What `capnweb_runtime serve` is given by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_runtime.running.failures import Failed
from capnweb_runtime.running.loading import load_application
from tests.late import LATE

SETTING_UP = "def set_up(worker: Worker) -> None: ...\ndef none() -> Worker: ...\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of functions whose types are known to type checkers alone."""
    (tmp_path / "set_up_late.py").write_text(LATE + SETTING_UP, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "set_up_late"


def test_the_worker_of_an_application_may_be_known_to_type_checkers_alone(module: str) -> None:
    assert load_application(f"{module}:set_up").__name__ == "set_up"


def test_an_application_that_takes_no_worker_is_refused(module: str) -> None:
    with pytest.raises(Failed, match=r"none cannot set up a worker \(too many positional arguments\)"):
        load_application(f"{module}:none")
