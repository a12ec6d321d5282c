"""The generated files of this folder are what the compiler makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_gen.cli import main
from tests.needs import needs_node_typescript
from tests.typescript.node import FOLDER, eslint, prepare, tsc

ROOT = Path(__file__).parents[2]
SCHEMAS, GENERATED = "tests/typescript/schema", "tests/typescript/generated"


@pytest.mark.parametrize("backend", ["python", "typescript"])
def test_generated_files_are_up_to_date(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as ended:
        main(["check", SCHEMAS, "--out", GENERATED, "--backend", backend])
    assert ended.value.code in {0, None}


@needs_node_typescript
def test_what_is_written_by_hand_against_them_passes_the_linter(tmp_path: Path) -> None:
    texts = {
        path.relative_to(FOLDER).as_posix(): path.read_text("utf-8")
        for part in ("generated", "programs")
        for path in (FOLDER / part).glob("*.ts")
    }
    folder = prepare(tmp_path, texts)
    assert tsc(folder) == ""
    assert eslint(folder) == ""
