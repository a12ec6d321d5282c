"""Which schemas a file belongs to: those that its project names, or else itself.

Rule: nothing is executed here, and nothing is executed of a file that was merely opened: it must be named in
pyproject.toml, or look like a schema in the words that only schemas have.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from capnweb_gen import naming

_INSTALLED = frozenset({"site-packages", "dist-packages", ".venv", "node_modules"})
_INTERFACE = re.compile(r"^[ \t]*class\s+\w+\s*(?:\[[^\]]*\])?\s*\([^)]*\b(?:Protocol|InterfaceModel)\b", re.MULTILINE)
_OURS = re.compile(
    r"^[ \t]*(?:from\s+capnweb_runtime\.schema\s+import|import\s+capnweb_runtime\.schema)\b", re.MULTILINE
)
FOLDER = "schemas"
"""What folders of schemas are called, where nothing else is said."""


@dataclass(frozen=True)
class Place:
    """Schemas that are read together. `folder` is where the compiler is run, `schema` a file that is read by itself;
    without one, pyproject.toml in the folder says what is read.
    """

    folder: Path
    schema: Path | None = None


def configured(path: Path) -> Path | None:
    """The folder of the project that a file is in, if its pyproject.toml has settings for the compiler."""
    for folder in path.parents:
        settings = folder / "pyproject.toml"
        if settings.is_file():
            return folder if _section(settings) is not None else None
    return None


def place_of(path: Path, text: str, roots: tuple[Path, ...] = ()) -> Place | None:
    """Where a file is read as a schema; None if it is none.

    Args:
        path: the file.
        text: what is in it.
        roots: the folders that the editor shows.
    """
    if path.suffix != ".py" or naming.is_generated(text) or not _INSTALLED.isdisjoint(path.parts):
        return None
    folder = configured(path)
    if folder is not None and _is_named(path, folder):
        return Place(folder)
    if not _INTERFACE.search(text) or not (FOLDER in path.parent.parts or _OURS.search(text)):
        return None
    return Place(_base(path, roots), path)


def _is_named(path: Path, folder: Path) -> bool:
    section = _section(folder / "pyproject.toml") or {}
    schemas: object = section.get("schemas")
    listed = cast("list[object]", schemas) if isinstance(schemas, list) else [FOLDER]
    names = [name for name in listed if isinstance(name, str)]
    return any(path.is_relative_to((folder / name).resolve()) or path.is_relative_to(folder / name) for name in names)


def _section(settings: Path) -> dict[str, Any] | None:
    """What pyproject.toml says of the compiler. One that is no TOML, or says it wrongly, is told where it is used."""
    try:
        tool: Any = tomllib.loads(settings.read_text("utf-8")).get("tool", {})
        section: Any = tool.get("capnweb-gen")
    except (OSError, UnicodeDecodeError, AttributeError):
        return None
    except tomllib.TOMLDecodeError:
        return {} if "[tool.capnweb-gen]" in settings.read_text("utf-8") else None
    if section is None:
        return None
    return cast("dict[str, Any]", section) if isinstance(section, dict) else {}


def _base(path: Path, roots: tuple[Path, ...]) -> Path:
    """Where a file that no project names is compiled: in its project, or the folder that the editor shows."""
    for folder in path.parents:
        if (folder / "pyproject.toml").is_file():
            return folder
    inside = [root for root in roots if path.is_relative_to(root)]
    return min(inside, key=lambda root: len(root.parts), default=path.parent)
