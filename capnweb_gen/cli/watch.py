"""Running again when a schema changes, or anything of the user's that it imports.

Rule: files are looked at, not subscribed to, so that it works on every file system. Time comes in as `wait`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

_Stamp = tuple[int, int]

INTERVAL = 0.3  # seconds between two looks; a look at a hundred files takes about a millisecond


def sleep() -> None:
    """Wait until it is time to look again."""
    time.sleep(INTERVAL)


def watch(
    schemas: Sequence[Path],
    action: Callable[[], None],
    *,
    say: Callable[[str], None],
    wait: Callable[[], None] = sleep,
) -> None:
    """Run `action` now, and again whenever one of its files has changed, until Ctrl-C.

    Args:
        schemas: files and folders to look at, besides the modules that `action` imports.
        action: imports schemas. It may end with SystemExit, which ends only this run of it.
        say: told when a run starts because of a change.
        wait: called before each look at the files.
    """
    imported: dict[str, Path] = {}
    before_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # bytecode is told apart by seconds, and edits come faster
    try:
        while True:
            seen = _stamps(_watched(schemas, imported))
            imported |= _run(action)
            seen |= {path: stamp for path, stamp in _stamps(imported.values()).items() if path not in seen}
            while (changed := _difference(seen, _stamps(_watched(schemas, imported)))) is None:
                wait()
            say(f"{changed.name} changed")
    except KeyboardInterrupt:
        say("stopped watching")
    finally:
        sys.dont_write_bytecode = before_bytecode


def _run(action: Callable[[], None]) -> dict[str, Path]:
    """Run once, as if nothing of the user's had been imported before; give what was imported."""
    before = set(sys.modules)
    with suppress(SystemExit):  # it has said why
        action()
    new = {name: path for name in set(sys.modules) - before if (path := _own_file(sys.modules[name]))}
    for name in new:
        del sys.modules[name]
    return new


def _own_file(module: ModuleType) -> Path | None:
    """The file of a module, if it is the user's rather than installed."""
    origin = getattr(module, "__file__", None)
    path = Path(origin).absolute() if origin else None
    if path is None or path.suffix != ".py" or "site-packages" in path.parts:
        return None
    return None if path.is_relative_to(Path(sys.base_prefix) / "lib") else path


def _watched(schemas: Sequence[Path], imported: dict[str, Path]) -> Iterator[Path]:
    for schema in (schema.absolute() for schema in schemas):
        if schema.is_dir():
            yield from schema.rglob("*.py")
        else:
            yield schema
            yield from schema.parent.glob("*.py")  # what could not be imported is most likely beside it
    yield from imported.values()


def _stamps(paths: Iterable[Path]) -> dict[Path, _Stamp]:
    """When each file was written, and how long it is. A missing one has none."""
    found: dict[Path, _Stamp] = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _difference(before: dict[Path, _Stamp], after: dict[Path, _Stamp]) -> Path | None:
    """A file that was changed, made or removed."""
    return next((path for path in sorted({*before, *after}) if before.get(path) != after.get(path)), None)
