"""Declaration files, made by the TypeScript compiler: where types are inferred, it alone can tell them.

Rule: the compiler is run as a program, in a folder of ours, and never loaded. What it says is told as its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen.errors import Diagnostic, shown

_BOUND = 120  # seconds: what takes longer has gone wrong
_SAID = re.compile(r"^(?P<file>.+?)\((?P<line>\d+),(?P<column>\d+)\): error (?P<code>TS\d+): (?P<text>.*)$")
_FATAL = frozenset({"TS1", "TS5", "TS6"})  # codes that begin so: of syntax, of options, of files
_OPTIONS = [
    "--declaration",
    "--emitDeclarationOnly",
    "--skipLibCheck",
    "--noEmit",
    "false",
    "--target",
    "esnext",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
    "--allowImportingTsExtensions",
    "--strict",
    "--removeComments",
    "false",
    "--stripInternal",
    "false",
    "--declarationMap",
    "false",
    "--incremental",
    "false",
    "--composite",
    "false",
    "--pretty",
    "false",
]


class NoCompilerError(Exception):
    """There is no TypeScript compiler."""

    def __init__(self) -> None:
        super().__init__(
            "--tsc needs the TypeScript compiler: npm install --save-dev typescript, or put tsc on the PATH"
        )


@dataclass(frozen=True)
class Emitted:
    """The declaration files of the files that were given, what each was made of (and those of what they import), and
    what went wrong.
    """

    files: list[Path]
    sources: dict[Path, Path]
    faults: list[Diagnostic]


def find_compiler(files: Sequence[Path]) -> list[str]:
    """The command that runs the TypeScript compiler: that of the project, or else that on the PATH.

    Raises:
        NoCompilerError: there is none.
    """
    folders = [folder for path in (*files, Path.cwd() / "x") for folder in path.absolute().parents]
    for folder in dict.fromkeys(folders):
        program = folder / "node_modules" / ".bin" / "tsc"
        if program.is_file():
            return [str(program)]
    found = shutil.which("tsc")
    if found is None:
        raise NoCompilerError
    return [found]


def emit(files: Sequence[Path], out: Path) -> Emitted:
    """Make declaration files.

    Args:
        files: the files; those that are declaration files already are left as they are.
        out: an empty folder.

    Raises:
        NoCompilerError: there is no TypeScript compiler.
    """
    sources = [path.absolute() for path in files if not path.name.endswith((".d.ts", ".d.mts", ".d.cts"))]
    given = [path.absolute() for path in files if path.absolute() not in sources]
    if not sources:
        return Emitted(given, {}, [])
    command = find_compiler(sources)
    root = Path(os.path.commonpath([path.parent for path in sources]))
    anchor = Path(root.anchor)  # whatever the files import lies below it
    arguments = [*_OPTIONS, "--rootDir", str(anchor), "--outDir", str(out), *map(str, sources)]
    try:
        done = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_BOUND,
            cwd=root,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Emitted(
            [],
            {},
            [Diagnostic(shown(sources[0]), 1, 1, f"tsc could not be run: {error}", "run it yourself to see why")],
        )
    faults = [fault for fault in _faults(done.stdout, root) if fault is not None]
    for path in sources:
        made = _emitted(path, anchor, out)
        if made.is_file():
            given.append(made)
        elif not faults:
            said = " ".join((done.stdout + done.stderr).split())[:300]
            faults.append(
                Diagnostic(shown(path), 1, 1, f"tsc made no declarations: {said}", "run it yourself to see why")
            )
    return Emitted(given, dict(_sources(anchor, out)), faults)


def _sources(root: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """Every declaration file that was made, and what of."""
    for made in sorted(out.rglob("*.d.*ts")):
        name = root / made.relative_to(out)
        stem, _, kind = name.name.rpartition(".d.")
        for ending in (kind, "tsx"):
            source = name.with_name(f"{stem}.{ending}")
            if source.is_file():
                yield made, source
                break


def _emitted(path: Path, root: Path, out: Path) -> Path:
    name = path.relative_to(root)
    suffix = {".mts": ".d.mts", ".cts": ".d.cts"}.get(path.suffix, ".d.ts")
    return out / name.with_suffix(suffix)


def _faults(said: str, root: Path) -> Iterator[Diagnostic | None]:
    """What the compiler says of syntax and of files. Types that do not fit are no concern of declarations."""
    for line in said.splitlines():
        found = _SAID.match(line.strip())
        if found is not None and len(found["code"]) == 6 and found["code"][:3] == "TS1":
            file = shown(root / found["file"])
            text = f"tsc: {found['text']} ({found['code']})"
            yield Diagnostic(file, int(found["line"]), int(found["column"]), text, "correct the line")
        elif line.startswith("error TS") and line[6:9] in _FATAL:
            yield Diagnostic(shown(root), 1, 1, f"tsc: {line.partition(': ')[2]}", "run it yourself to see why")
