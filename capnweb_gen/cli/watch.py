"""Running again when a schema changes, or anything of the user's that it imports, or when what it lacked appears.

Rule: files are looked at, not subscribed to, so that it works on every file system. Time comes in as `wait`.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from typing_extensions import override

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
            new, missing = _run(action)
            imported |= new
            seen |= {path: stamp for path, stamp in _stamps(imported.values()).items() if path not in seen}
            while not (news := _news(seen, _stamps(_watched(schemas, imported)), missing)):
                wait()
            say(news)
    except KeyboardInterrupt:
        say("stopped watching")
    finally:
        sys.dont_write_bytecode = before_bytecode


_Lookups = dict[str, list[str]]
"""Modules, and the folders in which each was looked for: sys.path has more entries while schemas are imported."""


class _Lookout(MetaPathFinder):
    """As the first finder, it is asked for each module that is imported. It leaves finding them to the others."""

    def __init__(self) -> None:
        self._lookups: _Lookups = {}

    @override
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /) -> None:
        """Note a module."""
        self._lookups[fullname] = list(sys.path if path is None else path)

    def failed(self) -> _Lookups:
        """What could not be imported."""
        return {name: path for name, path in self._lookups.items() if name not in sys.modules}


def _run(action: Callable[[], None]) -> tuple[dict[str, Path], _Lookups]:
    """Run once, as if nothing of the user's had been imported before; give what was imported, or is broken, and what a
    run that failed has looked for in vain.
    """
    before = set(sys.modules)
    lookout = _Lookout()
    failed: _Lookups = {}
    sys.meta_path.insert(0, lookout)
    try:
        action()
    except SystemExit:  # it has said why
        failed = lookout.failed()
    finally:
        sys.meta_path.remove(lookout)
    new = {name: path for name in set(sys.modules) - before if (path := own_file(sys.modules[name]))}
    for name in new:
        del sys.modules[name]
    found = {name: spec for name, path in failed.items() if (spec := _find(name, path))}
    broken = {name: Path(spec.origin) for name, spec in found.items() if spec.origin}
    return new | broken, {name: path for name, path in failed.items() if name not in found}


def _find(name: str, path: Sequence[str]) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name, path)
    except (ImportError, OSError):  # a folder that may not be read, or is being made
        return None


def own_file(module: ModuleType) -> Path | None:
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


def _news(before: dict[Path, _Stamp], after: dict[Path, _Stamp], missing: _Lookups) -> str | None:
    """What is new: a file that was changed, made or removed, or a module that can be found now."""
    changed = next((path for path in sorted({*before, *after}) if before.get(path) != after.get(path)), None)
    if changed is not None:
        return f"{changed.name} changed"
    if missing:
        importlib.invalidate_caches()  # they go by the time of a folder, which two changes may share
    return next((f"{name} appeared" for name, path in missing.items() if _find(name, path)), None)
