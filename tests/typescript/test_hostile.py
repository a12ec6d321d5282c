"""Whatever a schema says stays in the comments and strings that it stands in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from capnweb_gen import ir
from capnweb_gen.backends.typescript import generate
from tests.needs import needs_node_typescript
from tests.typescript.node import PATIENCE, eslint, prepare, tsc

pytestmark = needs_node_typescript

BREAKS_OUT = [
    "*/ export const stolen = 1; /*",
    "\n*/ export const stolen = 1; /*",
    "\u2028export const stolen = 1;",
    "\r\nexport const stolen = 1; //",
    '"; export const stolen = 1; //',
    "`${(() => { throw 1 })()}`",
    "\\",
    "\\*/",
    "* /\u200b*/",
    "@ts-expect-error",
    " eslint-disable-next-line",
    "\ufeff\u00a0\u3000\x00\x1b[2J\ud800\u202e",
    "</script><!-- -->",
]
PLACE = ir.Position(line=1, column=1)
TEXT = ir.Scalar(name="str")


def schema(said: str) -> ir.Schema:
    """A schema in which the text stands wherever one can stand."""
    word = ir.LiteralShape(values=(said,))
    old = ir.Deprecation(message=said)
    enum = ir.EnumShape(
        enum=ir.Reference(module="m", name="Choice"), members=(ir.EnumMember(name=said, value=said),), partial=True
    )
    limited = ir.ConstrainedShape(item=TEXT, pattern=said)
    spoken = ir.TextShape(type=ir.Reference(module="m", name="Spoken"), format=said)
    field = ir.ModelField(
        name="field", wire=said, accepts=said, doc=said, deprecated=old, type=enum, required=False, position=PLACE
    )
    default = ir.Default(value=said)
    parameters = (
        ir.Parameter(name="plain", wire="plain", type=limited, default=default, position=PLACE),
        ir.Parameter(name="key", wire=said, type=spoken, passing="keyword", default=default, position=PLACE),
    )
    method = ir.Method(
        name="get", wire=said, doc=said, deprecated=old, parameters=parameters, result=word, position=PLACE
    )
    return ir.Schema(
        module="m",
        path=said,
        output="m.py",
        doc=said,
        models=(ir.Model(name="Thing", module="m", path=said, doc=said, fields=(field,), position=PLACE),),
        interfaces=(ir.Interface(name="Api", doc=said, deprecated=old, members=(method,), position=PLACE),),
        errors=(ir.Error(name="Wrong", module="m", path=said, doc=said, wire=said, fields=(field,), position=PLACE),),
        callbacks=(ir.Callback(name="Told", doc=said, deprecated=old, call=method, position=PLACE),),
    )


@pytest.mark.parametrize("validate", [False, True])
def test_nothing_gets_out_of_comments_and_strings(tmp_path: Path, validate: bool) -> None:
    files = {
        f"case{index}/m.ts": generate((schema(said),), said, validate=validate)["m.ts"]
        for index, said in enumerate(BREAKS_OUT)
    }
    folder = prepare(tmp_path, files)
    assert tsc(folder) == ""
    assert eslint(folder) == ""


def test_files_export_what_the_schema_declares_and_strings_are_what_they_were(tmp_path: Path) -> None:
    files = {f"case{index}/m.ts": generate((schema(said),), said)["m.ts"] for index, said in enumerate(BREAKS_OUT)}
    folder = prepare(tmp_path, files, noEmit=False, outDir="out", rootDir=".")
    assert tsc(folder) == ""
    program = (
        "const told = [];"
        f"for (let index = 0; index < {len(files)}; index++) {{"
        "  const made = await import(`./out/case${index}/m.js`);"
        "  told.push([Object.keys(made), Object.entries(made.Choice)[0], made.newWrong('x', {}).name]);"
        "}"
        "console.log(JSON.stringify(told));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        cwd=folder, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    names = ["Choice", "connect", "isWrong", "newWrong"]
    assert json.loads(done.stdout) == [[names, [said, said], said] for said in BREAKS_OUT]
