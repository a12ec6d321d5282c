"""Files on disk: what is written, what is left alone, and what is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_gen import output
from capnweb_gen.backends.python.module import HEADER

TEXT = f"{HEADER} from schemas/api.py. Do not edit; run: x\n"
PACKAGE = f"{HEADER}. Do not edit; run: x\n"
FILES = {"__init__.py": PACKAGE, "api.py": TEXT, "deep/api.py": TEXT}
SOURCES = frozenset({"schemas"})


def generate(out: Path, files: dict[str, str] = FILES) -> list[output.Change]:
    changes, faults = output.compare(files, out, SOURCES)
    assert faults == []
    output.write(changes)
    return changes


def test_missing_files_and_folders_are_made(tmp_path: Path) -> None:
    generate(tmp_path / "a" / "b")
    assert (tmp_path / "a/b/deep/api.py").read_text() == TEXT
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == ["__init__.py", "api.py", "deep"]


def test_what_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    generate(tmp_path)
    before = (tmp_path / "api.py").stat()
    assert generate(tmp_path) == []
    after = (tmp_path / "api.py").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_only_what_differs_is_replaced(tmp_path: Path) -> None:
    generate(tmp_path)
    changes = generate(tmp_path, {**FILES, "api.py": TEXT + "x = 1\n"})
    assert [change.path.name for change in changes] == ["api.py"]
    assert (tmp_path / "api.py").read_text() == TEXT + "x = 1\n"


def test_line_endings_are_the_same_everywhere(tmp_path: Path) -> None:
    generate(tmp_path)
    (tmp_path / "api.py").write_bytes(TEXT.replace("\n", "\r\n").encode())
    generate(tmp_path)
    assert b"\r" not in (tmp_path / "api.py").read_bytes()


def test_a_file_that_was_not_generated_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("mine = True\n")
    changes, faults = output.compare(FILES, tmp_path, SOURCES)
    assert [fault.message for fault in faults] == ["this file was not generated, so it is not replaced"]
    assert not any(change.path == tmp_path / "api.py" for change in changes)


def test_an_init_of_the_users_own_is_kept(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("mine = True\n")
    generate(tmp_path)
    assert (tmp_path / "__init__.py").read_text() == "mine = True\n"


def test_a_module_whose_schema_is_gone_is_removed(tmp_path: Path) -> None:
    generate(tmp_path)
    long = tmp_path / "long.py"
    long.write_text(f"{HEADER} from schemas/gone.py.\n# Do not edit; run: x\n")
    changes = generate(tmp_path, {"__init__.py": PACKAGE, "api.py": TEXT})
    assert sorted(change.path.name for change in changes if change.after is None) == ["api.py", "long.py"]
    assert not (tmp_path / "deep/api.py").exists()
    assert not long.exists()


@pytest.mark.parametrize("text", ["mine = True\n", f"{HEADER} from other/api.py. Do not edit; run: x\n"])
def test_nothing_else_is_removed(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.py").write_text(text)
    generate(tmp_path)
    assert (tmp_path / "other.py").read_text() == text


@pytest.mark.parametrize(("backend", "removed"), [("python", "old.py"), ("markdown", "old.md")])
def test_without_any_schema_only_files_that_the_back_end_may_have_made_are_removed(
    tmp_path: Path, backend: str, removed: str
) -> None:
    for name in ("old.py", "old.md"):
        (tmp_path / name).write_text(TEXT)
    changes, faults = output.compare({}, tmp_path, SOURCES, backend=backend)
    assert ([change.path.name for change in changes], faults) == ([removed], [])


class Failing:
    """Lets some renames through; then the disk is full, or somebody presses Ctrl-C."""

    def __init__(self, after: int, error: BaseException) -> None:
        self._left = after
        self._error = error
        self._replace = Path.replace

    def __call__(self, path: Path, target: Path) -> Path:
        if self._left == 0:
            raise self._error
        self._left -= 1
        return self._replace(path, target)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_a_run_that_is_interrupted_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException
) -> None:
    generate(tmp_path)
    before = tree(tmp_path)
    failing = Failing(after, error)
    monkeypatch.setattr(Path, "replace", lambda self, target: failing(self, target))
    with pytest.raises(type(error)):
        generate(tmp_path, {**FILES, "api.py": TEXT + "x = 1\n", "new/api.py": TEXT, "zoo.py": TEXT})
    assert tree(tmp_path) == before


def test_a_first_run_that_fails_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Failing(1, OSError("no space left"))
    monkeypatch.setattr(Path, "replace", lambda self, target: failing(self, target))
    with pytest.raises(OSError, match="no space left"):
        generate(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_removing_that_fails_puts_back_what_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path)
    before = tree(tmp_path)
    unlink = Path.unlink

    def stuck(self: Path, missing_ok: bool = False) -> None:
        if self.name == "api.py" and self.parent.name == "deep":
            raise OSError("busy")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", stuck)
    with pytest.raises(OSError, match="busy"):
        generate(tmp_path, {"__init__.py": PACKAGE + "x = 1\n"})
    assert tree(tmp_path) == before


def tree(folder: Path) -> dict[str, str | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() else None for path in folder.rglob("*")
    }


def test_an_empty_file_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    generate(tmp_path)
    assert (tmp_path / "mine.py").exists()


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    generate(tmp_path)
    (tmp_path / "api.py").chmod(0o640)
    generate(tmp_path, {**FILES, "api.py": TEXT + "x = 1\n"})
    assert (tmp_path / "api.py").stat().st_mode & 0o777 == 0o640


def test_new_files_can_be_read_by_others(tmp_path: Path) -> None:
    generate(tmp_path)
    ordinary = tmp_path / "ordinary.txt"
    ordinary.touch()
    assert (tmp_path / "api.py").stat().st_mode == ordinary.stat().st_mode


def test_a_diff_names_files_as_patches_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "generated" / "api.py"
    assert (
        output.Change(path, "a\n", "b\n").diff()
        == "--- a/generated/api.py\n+++ b/generated/api.py\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert output.Change(path, None, "b\n").diff().startswith("--- /dev/null\n+++ b/generated/api.py\n")
    assert output.Change(path, "a\n", None).diff().startswith("--- a/generated/api.py\n+++ /dev/null\n")
