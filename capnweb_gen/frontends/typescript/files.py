"""The files of a run: those that are given, and those that they import from.

Rule: a file that is imported is read when a name from it is needed, once. What comes from a package is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capnweb_gen import naming
from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.typescript.nodes import Declaration, FileSyntax, Import
from capnweb_gen.frontends.typescript.statements import read_file
from capnweb_gen.frontends.typescript.syntax import parse

SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".d.ts", ".d.mts", ".d.cts")
_COMPILED = {".js": (".ts", ".tsx", ".d.ts"), ".mjs": (".mts", ".d.mts"), ".cjs": (".cts", ".d.cts"), ".jsx": (".tsx",)}
RPC_PACKAGES = frozenset({"capnweb", "cloudflare:workers"})
RPC_NAMES = frozenset({"RpcTarget", "RpcStub", "RpcPromise", "RpcCompatible"})
_LARGEST = 20_000_000  # bytes of a file: more than any that people write


@dataclass(frozen=True, eq=False)
class File:
    """A file that was read. `given` tells that it was named on the command line."""

    path: Path
    shown: str
    syntax: FileSyntax = field(repr=False)
    given: bool

    @property
    def stem(self) -> str:
        """Its name without endings: `api` of `api.d.ts`."""
        return self.path.name.partition(".")[0] or self.path.name.strip(".").partition(".")[0]


@dataclass(frozen=True, eq=False)
class Group:
    """Everything that a file declares under one name. The same name is always the same object."""

    file: File
    name: str
    declarations: tuple[Declaration, ...]

    @property
    def first(self) -> Declaration:
        """The first of them, which stands for the others in messages."""
        return self.declarations[0]


@dataclass(frozen=True)
class Foreign:
    """A name that is not declared in a file of the run. `name` is set for those of the RPC packages."""

    reason: str
    hint: str
    name: str | None = None


class Files:
    """All files of a run. Faults of reading them are added to `faults`.

    Args:
        faults: is added to.
        sources: of files that were made of others, the one that messages name.
    """

    def __init__(self, faults: list[Diagnostic], sources: Mapping[Path, Path] | None = None) -> None:
        self._faults = faults
        self._sources = {_place(path): source for path, source in (sources or {}).items()}
        self._files: dict[Path, File | None] = {}
        self._groups: dict[tuple[File, str], Group] = {}

    def give(self, paths: Iterable[Path]) -> list[File]:
        """Read the files that were named."""
        found = [self._load(path.absolute(), given=True) for path in paths]
        return [file for file in found if file is not None]

    def all(self) -> list[File]:
        """Every file that was read by now."""
        return [file for file in self._files.values() if file is not None]

    def group(self, file: File, name: str) -> Group | None:
        """What a file declares under a name."""
        found = file.syntax.declarations.get(name)
        if found is None:
            return None
        if (file, name) not in self._groups:
            self._groups[file, name] = Group(file, name, tuple(found))
        return self._groups[file, name]

    def lookup(self, file: File, name: str, namespace: str = "") -> Group | Foreign | None:
        """What a name means in a file; None if it is declared nowhere there.

        Args:
            file: where it stands.
            name: with dots, if it leads into a namespace.
            namespace: that it stands in, with a dot at its end.
        """
        while True:
            local = self.group(file, f"{namespace}{name}")
            if local is not None:
                return local
            if not namespace:
                break
            namespace = "".join(f"{part}." for part in namespace.split(".")[:-2])
        first, _, rest = name.partition(".")
        found = file.syntax.imports.get(first)
        if found is None:
            return None
        return self._imported(file, found, rest, 0)

    def exported(self, file: File, name: str, depth: int = 0) -> Group | Foreign | None:
        """What a file exports under a name."""
        first, _, rest = name.partition(".")
        local = file.syntax.exports.get(first)
        if isinstance(local, Import):
            return self._imported(file, local, rest, depth + 1)
        if local is not None:
            name = f"{local}.{rest}" if rest else local
            return self.group(file, name) or self.lookup(file, name)
        for star in file.syntax.stars if depth < 30 else ():
            found = self._imported(file, star, name, depth + 1)
            if found is not None and not (isinstance(found, Foreign) and found.name is None):
                return found
        return None

    def roots(self, file: File) -> Iterator[Group]:
        """What a file exports; everything that it declares, if it exports nothing."""
        syntax = file.syntax
        if not syntax.exports and not syntax.stars:
            yield from (group for name in syntax.declarations if (group := self.group(file, name)))
            return
        seen: set[Group] = set()
        inside = [name for name, declared in syntax.declarations.items() if "." in name and declared[0].exported]
        for name in [*syntax.exports, *inside]:
            found = self.exported(file, name) if "." not in name else self.group(file, name)
            if isinstance(found, Group) and found not in seen:
                seen.add(found)
                yield found
        for star in syntax.stars:
            other = self._target(file, star.source)
            if isinstance(other, File) and not other.given:
                yield from (group for group in self.roots(other) if group not in seen)

    # ---- imports

    def _imported(self, file: File, found: Import, rest: str, depth: int) -> Group | Foreign | None:
        target = self._target(file, found.source)
        if found.source in RPC_PACKAGES:
            name = rest if found.name == "*" else found.name
            if name in RPC_NAMES:
                return Foreign("", "", name)
        if isinstance(target, Foreign):
            return target
        if depth > 30:
            return Foreign("these files export each other's names in a circle", "declare the type in one of them")
        if found.name == "*":
            return self.exported(target, rest, depth) if rest else None
        name = f"{found.name}.{rest}" if rest else found.name
        return self.exported(target, name, depth)

    def _target(self, file: File, source: str) -> File | Foreign:
        if not source.startswith("."):
            hint = "declare in a file of your own what interfaces need of it"
            return Foreign(f"it comes from the package {source!r}, which is not read", hint)
        for path in _candidates(file.path.parent / source):
            if path in self._files or path.is_file():
                found = self._load(path, given=False)
                return found or Foreign(f"it comes from {shown(path)}, which could not be read", "correct that file")
        hint = "correct the path, or declare the type here"
        return Foreign(f"it comes from {source!r}, where there is no file", hint)

    def _load(self, path: Path, *, given: bool) -> File | None:
        path = _place(path)
        if path not in self._files:
            self._files[path] = None
            self._files[path] = self._read(path, given=given)
        return self._files[path]

    def _read(self, path: Path, *, given: bool) -> File | None:
        called = shown(self._sources.get(path, path))
        if not path.name.endswith(SUFFIXES):
            self._fault(called, "this is not TypeScript", f"name files that end with {', '.join(SUFFIXES[:4])}")
            return None
        try:
            text = path.read_bytes()
        except OSError as error:
            self._fault(called, f"this cannot be read: {error.strerror}", "name a file of TypeScript that is there")
            return None
        if len(text) > _LARGEST:
            self._fault(called, "this file is too large to have been written", "name the file that declares the types")
            return None
        try:
            text.decode()
        except UnicodeDecodeError as error:
            self._fault(
                called, f"this is not UTF-8: byte {error.start + 1} is {text[error.start]:#04x}", "save it as UTF-8"
            )
            return None
        source, faults = parse(text.removeprefix(b"\xef\xbb\xbf"), called, tsx=path.suffix == ".tsx")
        self._faults.extend(faults)
        return File(path, called, read_file(source), given)

    def _fault(self, called: str, message: str, hint: str) -> None:
        self._faults.append(Diagnostic(called, 1, 1, message, hint))


def _place(path: Path) -> Path:
    """A file by its folder's true path, so that it is the same file whatever leads to it."""
    return Path(path.parent.resolve(), path.name)


def _candidates(path: Path) -> Iterator[Path]:
    """The files that an import may mean, as TypeScript looks for them."""
    if path.name.endswith(SUFFIXES):
        yield path
    for suffix in _COMPILED.get(path.suffix, ()):
        yield path.with_suffix(suffix)
    for suffix in SUFFIXES:
        yield path.parent / f"{path.name}{suffix}"
    for suffix in SUFFIXES:
        yield path / f"index{suffix}"


def module_stem(file: File) -> str:
    """What the module of a file is called: `live_query` for `live-query.ts`."""
    stem = file.stem if file.stem != "index" else file.path.absolute().parent.name or file.stem
    return naming.as_name(naming.snake(stem).lstrip("0123456789_-.") or stem)
