"""One output of a run: a back end, what it is told, and the folder of what it makes.

Rule: a back end is imported, and what it is told is checked, when a run begins and not before: with `--watch` that is
each time, so that a back end can be worked on.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import click

from capnweb_gen.backends.options import Option, OptionValue
from capnweb_gen.backends.plugins import PYTHON, BackendError, Chosen, load
from capnweb_gen.errors import shown

SWITCHES = {
    "blocking": "python: also make stubs whose methods wait, for code without an event loop.",
    "reflection": "python: also write the IR, so that servers can say what they serve.",
    "fakes": "python: also make a fake of each interface, for tests.",
    "validate": "typescript: also check what arrives at run time.",
}
"""Options of back ends that are switches, and that the command line takes by their names."""

TEXTS = {"spec": ("VERSION", "openrpc: version of the OpenRPC specification, 1.3 or 1.4.")}
"""The same, of options that are strings."""


@dataclass(frozen=True)
class Output:
    """What somebody wants of a run, not yet checked. `texts` are options as the command line gives them, in letters;
    `where` is what messages say first of where all this stands.
    """

    out: Path
    backend: str = PYTHON
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    where: str = ""

    def ready(self, schemas: Sequence[Path]) -> Ready:
        """The same, once the back end is there and takes what it is told.

        Args:
            schemas: what is compiled.

        Raises:
            click.UsageError: there is no such back end, or it has no such option.
        """
        try:
            chosen = load(self.backend)
            written = {name: _read(text, chosen.options.get(name)) for name, text in self.texts.items()}
            values = chosen.checked({**self.options, **written})
        except (BackendError, ValueError) as error:
            raise click.UsageError(f"{self.where}{error}") from error
        backend = [] if self.backend == PYTHON else ["--backend", self.backend]
        told = [word for option in chosen.options.values() for word in _words(option, values)]
        command = shlex.join(["capnweb-gen", *_named(schemas), "--out", shown(self.out), *backend, *told])
        return Ready(self.out, self.backend, command, chosen.told(**values))


@dataclass(frozen=True)
class Ready:
    """An output that can be made. `command` makes it and nothing else, as generated files say it."""

    out: Path
    backend: str
    command: str
    make: Chosen


def apart(outputs: Sequence[Output]) -> None:
    """Refuse two outputs of one back end of which one would take the files of the other for its own.

    Raises:
        click.UsageError: it says which.
    """
    for one, other in combinations(outputs, 2):
        here, there = one.out.resolve(), other.out.resolve()
        if one.backend != other.backend or not (here.is_relative_to(there) or there.is_relative_to(here)):
            continue
        same = "the same folder" if here == there else "one folder inside the other"
        folders = dict.fromkeys((shown(one.out), shown(other.out)))
        raise click.UsageError(
            f"{other.where}two outputs of the back end {one.backend} have {same}, {' and '.join(folders)}; "
            "give each a folder of its own"
        )


def _read(text: str, option: Option | None) -> OptionValue:
    """The value that is written on the command line as a text."""
    if option is not None and option.is_switch:
        return {"true": True, "false": False}.get(text, text)
    return text


def _named(schemas: Sequence[Path]) -> Iterator[str]:
    """Schemas as generated files name them: the same for a folder and for a file in it."""
    folders = dict.fromkeys(schema.parent if schema.is_file() else schema for schema in schemas)
    written = [schema for schema in schemas if schema.suffix == ".json"]
    for path in [*(folder for folder in folders if folder not in {schema.parent for schema in written}), *written]:
        yield shown(path)


def _words(option: Option, values: Mapping[str, OptionValue]) -> list[str]:
    """An option as the command line takes it; nothing, if it has its default."""
    name, value = option.name, values.get(option.name, option.default)
    if value == option.default:
        return []
    if value is True and name in SWITCHES:
        return [f"--{name}"]
    if isinstance(value, str):
        return [f"--{name}", value] if name in TEXTS else ["--option", f"{name}={value}"]
    return ["--option", f"{name}={str(value).lower()}"]
