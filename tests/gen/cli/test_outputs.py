"""Several outputs in one run: all are written or none, and each is left to whoever made it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capnweb_gen import ir
from capnweb_gen.backends import options, plugins
from capnweb_gen.cli import main, outputs
from capnweb_gen.cli.generate import once
from capnweb_gen.cli.job import Asked, find_job
from capnweb_gen.cli.watch import watch
from capnweb_gen.errors import Diagnostic
from tests.gen.backends.test_plugins import Install, install
from tests.gen.conftest import Write

__all__ = ["install"]

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"
FAULTY = API + "    x: int\n"
HEAD = '[tool.capnweb-gen]\nschemas = ["{name}"]\n'
THREE = (
    HEAD
    + """
[[tool.capnweb-gen.output]]
out = "generated"
fakes = true
[[tool.capnweb-gen.output]]
backend = "markdown"
out = "docs/api"
[[tool.capnweb-gen.output]]
backend = "openrpc"
out = "docs/api"
spec = "1.4"
[[tool.capnweb-gen.output]]
backend = "json-schema"
out = "docs/api"
"""
)
MADE = {
    *("generated/__init__.py", "generated/api.py", "generated/api_fakes.py"),
    *("docs/api/api.md", "docs/api/api.Api.openrpc.json", "docs/api/api.schema.json"),
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def told(result: Result) -> str:
    return " ".join(result.stderr.split())


def make(project: Write, name: str, configured: str, text: str = API) -> Path:
    files = {"pyproject.toml": configured.replace("{name}", name), f"{name}/__init__.py": "", f"{name}/api.py": text}
    return project(files)


def files(root: Path) -> set[str]:
    """What is there beside the schema and its configuration."""
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {name for name in found if name.startswith(("generated/", "docs/", "made/"))}


def test_one_run_writes_all_of_them_and_check_guards_all(project: Write) -> None:
    root = make(project, "m1", THREE)
    assert run("check").exit_code == 1
    assert run().exit_code == 0
    assert files(root) == MADE
    assert (run().output, run("check").output) == ("", "")
    assert '"openrpc": "1.4.1"' in (root / "docs/api/api.Api.openrpc.json").read_text()
    for name in sorted(MADE):
        text = (root / name).read_text()
        (root / name).write_text(text + " ")
        stale = run("check")
        assert (stale.exit_code, f"+++ b/{name}\n" in stale.stdout) == (1, True)
        assert stale.stderr == "1 file out of date; run: capnweb-gen\n"
        assert run().stderr == f"wrote {name}\n"


def test_each_file_names_the_command_that_makes_it_and_that_leaves_the_others_alone(project: Write) -> None:
    root = make(project, "m2", THREE)
    run()
    commands = {
        "generated/api.py": "capnweb-gen m2 --out generated --fakes",
        "docs/api/api.md": "capnweb-gen m2 --out docs/api --backend markdown",
        "docs/api/api.Api.openrpc.json": "capnweb-gen m2 --out docs/api --backend openrpc --spec 1.4",
        "docs/api/api.schema.json": "capnweb-gen m2 --out docs/api --backend json-schema",
    }
    for name, command in commands.items():
        head = (root / name).read_text()[:400].replace("\n# ", " ")
        assert any(f"run: {command}{end}" in head for end in ("\n", '"', " -->")), head
        assert run(*command.split()[1:]).output == ""
    assert files(root) == MADE


def test_a_schema_that_is_gone_takes_all_of_its_files_along(project: Write) -> None:
    root = make(project, "m3", THREE)
    project({"m3/old.py": API})
    run()
    (root / "m3/old.py").unlink()
    removed = run().stderr.splitlines()
    assert sorted(removed) == [
        "removed docs/api/old.Api.openrpc.json",
        "removed docs/api/old.md",
        "removed docs/api/old.schema.json",
        "removed generated/old.py",
        "removed generated/old_fakes.py",
    ]
    assert files(root) == MADE


def test_the_last_schema_that_is_gone_does_so_too(project: Write) -> None:
    root = make(project, "m4", THREE)
    run()
    (root / "m4/api.py").unlink()
    assert run().exit_code == 0
    assert files(root) == {"generated/__init__.py"}


def test_diagnostics_and_stale_files_of_all_are_json_in_one_list(project: Write) -> None:
    make(project, "m5", THREE)
    found = json.loads(run("check", "--json").stdout)["diagnostics"]
    assert {fault["file"] for fault in found} == MADE
    assert {fault["hint"] for fault in found} == {"run: capnweb-gen"}


def test_scaffold_finds_the_output_for_python(project: Write) -> None:
    configured = HEAD + '[[tool.capnweb-gen.output]]\nbackend = "markdown"\nout = "docs"\n'
    root = make(project, "m6", configured + '[[tool.capnweb-gen.output]]\nout = "made/here"\n')
    assert run("scaffold", "m6/api.py", "--out", "one.py").exit_code == 0
    assert "from made.here.api import ApiTarget\n" in (root / "one.py").read_text()


def test_scaffold_without_an_output_for_python_takes_the_usual_folder(project: Write) -> None:
    root = make(project, "m7", HEAD + '[[tool.capnweb-gen.output]]\nbackend = "markdown"\nout = "docs"\n')
    assert run("scaffold", "m7/api.py", "--out", "one.py").exit_code == 0
    assert "from generated.api import ApiTarget\n" in (root / "one.py").read_text()


def test_watching_writes_all_of_them_again(project: Write) -> None:
    root = make(project, "m8", THREE)
    texts = [API.replace("get", "fetch")]

    def wait() -> None:
        if not texts:
            raise KeyboardInterrupt
        (root / "m8/api.py").write_text(texts.pop())

    job = find_job(Asked())
    watch(job.schemas, lambda: once(job), say=lambda message: None, wait=wait)
    assert "#### `fetch() → int`" in (root / "docs/api/api.md").read_text()
    assert '"name": "fetch"' in (root / "docs/api/api.Api.openrpc.json").read_text()
    assert "fetch" in (root / "generated/api_fakes.py").read_text()


def test_types_are_checked_of_the_modules_among_them(project: Write) -> None:
    make(project, "m9", THREE)
    run()
    assert run("check", "--types").output == ""


# ---- nothing half written


def test_a_faulty_schema_writes_none_of_them(project: Write) -> None:
    root = make(project, "n1", THREE, FAULTY)
    result = run()
    assert (result.exit_code, files(root)) == (1, set())
    assert result.stderr.count("Api.x is an attribute") == 1


@pytest.mark.parametrize("name", ["docs/api/api.schema.json", "generated/api.py"])
def test_a_file_in_the_way_of_one_keeps_all_from_being_written(project: Write, name: str) -> None:
    root = make(project, f"n2{len(name)}", THREE)
    project({name: "{}\n"})
    result = run()
    assert (result.exit_code, files(root)) == (1, {name})
    assert result.stderr.startswith(f"{name}:1:1: this file was not generated, so it is not replaced [CW-400]\n")


def test_a_folder_that_cannot_be_written_keeps_all_from_being_written(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(project, "n3", THREE)
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == "api.schema.json":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    result = run()
    assert (result.exit_code, files(root)) == (1, set())
    assert "No space left on device; nothing was changed" in told(result)


def test_an_output_that_is_a_file_is_told_and_nothing_is_written(project: Write) -> None:
    root = make(project, "n4", THREE)
    project({"docs/api": "mine\n"})
    result = run()
    assert (result.exit_code, files(root)) == (1, {"docs/api"})
    assert "Not a directory" in result.stderr


def test_ir_of_a_newer_compiler_is_told_and_nothing_is_written(project: Write) -> None:
    root = make(project, "n5", THREE.replace('"{name}"', '"schemas.json"'))
    project({"schemas.json": '[{"format": 2, "module": "a", "path": "a.py", "output": "a.py"}]'})
    result = run()
    assert (result.exit_code, files(root)) == (1, set())
    assert "schemas.json:1:1: this is IR of format 2; this compiler reads format 1" in result.stderr


def failing(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    raise KeyError("lost")


def refusing(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    schema = schemas[0]
    raise plugins.RefusedError([Diagnostic(schema.path, 2, 1, "this is not for me", "write less")])


def twice(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    return {"api.py": f"# {plugins.MARK} from x.\n"}


def test_a_back_end_that_fails_keeps_the_others_from_writing(project: Write, install: Install) -> None:
    install(bad=f"{__name__}:failing")
    root = make(project, "n6", THREE + '[[tool.capnweb-gen.output]]\nbackend = "bad"\nout = "made"\n')
    result = run()
    assert (result.exit_code, files(root)) == (1, set())
    assert "the back end bad failed: KeyError: 'lost'" in result.stderr


def test_what_a_back_end_refuses_is_a_diagnostic_as_any_other(project: Write, install: Install) -> None:
    install(strict=f"{__name__}:refusing")
    root = make(project, "n7", THREE + '[[tool.capnweb-gen.output]]\nbackend = "strict"\nout = "made"\n')
    result = run("--json")
    assert (result.exit_code, files(root)) == (1, set())
    (fault,) = json.loads(result.stdout)["diagnostics"]
    assert (fault["file"], fault["line"], fault["message"]) == ("n7/api.py", 2, "this is not for me")


# ---- wrong usage


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        (
            HEAD + 'out = "x"\n[[tool.capnweb-gen.output]]\nout = "y"\n',
            "out: this belongs into a [[tool.capnweb-gen.output]] where there are any",
        ),
        (
            HEAD + 'fakes = true\nbackend = "python"\n[[tool.capnweb-gen.output]]\nout = "y"\n',
            "backend, fakes: this belongs into a [[tool.capnweb-gen.output]] where there are any",
        ),
        (
            HEAD,
            "out: it is missing; name the folder of the generated modules, or outputs in [[tool.capnweb-gen.output]]",
        ),
        (HEAD + "output = []\n", "output: List should have at least 1 item"),
        (HEAD + '[[tool.capnweb-gen.output]]\nbackend = "markdown"\n', "output.0.out: Field required"),
        (
            HEAD + '[[tool.capnweb-gen.output]]\nout = "y"\n[[tool.capnweb-gen.output]]\nbackend = "nope"\nout = "z"\n',
            "[[tool.capnweb-gen.output]] 2 in {project}: there is no back end called 'nope'; there are: ",
        ),
        (
            HEAD + '[[tool.capnweb-gen.output]]\nbackend = "openrpc"\nout = "y"\nfakes = true\n',
            "output]] 1 in {project}: the back end openrpc has no option fakes; it has spec, api_version",
        ),
        (
            HEAD + '[[tool.capnweb-gen.output]]\nbackend = "openrpc"\nout = "y"\nspec = 1.4\n',
            'the option spec of the back end openrpc takes "1.3" or "1.4", not 1.4',
        ),
        (
            HEAD + 'out = "x"\nblocking = "yes"\n',
            'the option blocking of the back end python takes true or false, not "yes"',
        ),
        (
            HEAD + '[[tool.capnweb-gen.output]]\nout = "x"\n[[tool.capnweb-gen.output]]\nout = "x"\nfakes = true\n',
            "two outputs of the back end python have the same folder, x; give each a folder of its own",
        ),
        (
            HEAD + '[[tool.capnweb-gen.output]]\nout = "x"\n[[tool.capnweb-gen.output]]\nout = "y/../x/z"\n',
            "two outputs of the back end python have one folder inside the other, x and y/../x/z",
        ),
    ],
)
def test_configuration_that_cannot_be_followed_is_wrong_usage_and_nothing_is_written(
    project: Write, configured: str, message: str
) -> None:
    root = make(project, "u1", configured)
    for command in ([], ["check"]):
        result = run(*command)
        assert result.exit_code == 2
        assert message.replace("{project}", str(root / "pyproject.toml")) in told(result)
    assert {path.name for path in root.iterdir()} == {"pyproject.toml", "u1"}


def one(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    return {"one.txt": f"# {plugins.MARK} from {schemas[0].path}.\n"}


def two(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    return {"two.txt": f"# {plugins.MARK} from {schemas[0].path}.\n"}


def test_back_ends_that_do_not_say_who_they_are_may_share_a_folder_in_one_run(project: Write, install: Install) -> None:
    install(one=f"{__name__}:one", two=f"{__name__}:two")
    tables = "".join(f'[[tool.capnweb-gen.output]]\nbackend = "{name}"\nout = "made"\n' for name in ("one", "two"))
    root = make(project, "u4", HEAD + tables)
    assert run().stderr == "wrote made/one.txt\nwrote made/two.txt\n"
    assert (run().output, files(root)) == ("", {"made/one.txt", "made/two.txt"})


def test_a_file_that_two_would_make_is_wrong_usage(project: Write, install: Install) -> None:
    install(other=f"{__name__}:twice")
    configured = (
        HEAD + '[[tool.capnweb-gen.output]]\nout = "x"\n[[tool.capnweb-gen.output]]\nbackend = "other"\nout = "x"\n'
    )
    root = make(project, "u2", configured)
    result = run()
    assert result.exit_code == 2
    assert "x/api.py would be made by the back end python and by other; give each output a folder" in told(result)
    assert not (root / "x").exists()


@pytest.mark.parametrize(
    "arguments", [["--out", "x"], ["--backend", "python"], ["--fakes"], ["--option", "fakes=true"]]
)
def test_the_command_line_does_not_change_several_outputs(project: Write, arguments: list[str]) -> None:
    root = make(project, "u3", THREE)
    result = run(*arguments)
    assert (result.exit_code, files(root)) == (2, set())
    assert "says in [[tool.capnweb-gen.output]] what is made" in told(result)


# ---- options on the command line


def test_any_option_can_be_given_by_its_name(project: Write) -> None:
    root = make(project, "o1", "")
    run("o1", "--out", "made", "--backend", "openrpc", "--spec", "1.4", "--option", "api_version=2.0 beta")
    text = (root / "made/api.Api.openrpc.json").read_text()
    assert '"version": "2.0 beta"' in text
    assert "run: capnweb-gen o1 --out made --backend openrpc --spec 1.4 --option 'api_version=2.0 beta'" in text


@pytest.mark.parametrize(("value", "made"), [("true", True), ("false", False)])
def test_a_switch_can_be_given_so_too(project: Write, value: str, made: bool) -> None:
    root = make(project, f"o2{value}", "")
    assert run(f"o2{value}", "--out", "made", "--option", f"fakes={value}").exit_code == 0
    assert (root / "made/api_fakes.py").exists() is made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--option", "fakes"], "--option fakes has no value: write --option NAME=VALUE"),
        (["--option", "fakes=1"], 'the option fakes of the back end python takes true or false, not "1"'),
        (["--spec", "1.4"], "the back end python has no option spec; it has blocking, reflection, fakes"),
        (
            ["--backend", "openrpc", "--spec", "2"],
            'the option spec of the back end openrpc takes "1.3" or "1.4", not "2"',
        ),
    ],
)
def test_an_option_that_there_is_not_is_wrong_usage(project: Write, arguments: list[str], message: str) -> None:
    make(project, "o3", "")
    result = run("o3", "--out", "made", *arguments)
    assert result.exit_code == 2
    assert message in told(result)
    assert not os.path.lexists("made")


@pytest.mark.parametrize("name", sorted(set(plugins.BUILT_IN) - {"typescript"}))
def test_the_options_of_the_command_line_are_of_the_kind_that_back_ends_have(name: str) -> None:
    found: dict[str, options.Option] = dict(plugins.load(name).options)
    assert all(found[one].is_switch for one in outputs.SWITCHES.keys() & found.keys())
    assert not any(found[one].is_switch for one in outputs.TEXTS.keys() & found.keys())
