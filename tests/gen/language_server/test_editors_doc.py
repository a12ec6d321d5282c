"""What docs/editors.md says is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from capnweb_gen.cli.lsp import SECONDS
from capnweb_gen.language_server.faults import MOST
from capnweb_gen.language_server.service import PAUSE
from tests.gen.language_server.editor import Editor
from tests.gen.language_server.test_fixes import MENDED
from tests.gen.language_server.test_vscode import MANIFEST, SETTINGS

PAGE = (Path(__file__).parents[3] / "docs/editors.md").read_text("utf-8")


async def test_the_hover_that_is_shown_is_what_an_editor_shows(editor: Editor) -> None:
    shown = str(await editor.hover("schemas/accounts.py", "def get_pro|file"))
    plain = shown.replace("```json\n", "").removesuffix("\n```")
    assert f"```text\n{plain}\n```" in PAGE


def test_every_fix_is_listed() -> None:
    rows = re.findall(
        r"^\| .* \| (.*) \|$", PAGE.partition("| the fix |")[2].partition("**Generate now**")[0], re.MULTILINE
    )
    patterns = [re.escape(row.replace("\\|", "|")).replace("…", ".*") for row in rows]
    titles = {title for several in MENDED.values() for title in several} | {'Write @wire_name("x") here too'}
    assert all(any(re.fullmatch(pattern, title) for pattern in patterns) for title in titles)
    assert all(any(re.fullmatch(pattern, title) for title in titles) for pattern in patterns)


def test_every_setting_and_command_of_the_extension_is_described() -> None:
    described = dict(re.findall(r"^\| `(capnweb-gen\.[\w.]+)` \| `(.*?)` \|", PAGE, re.MULTILINE))
    assert described == {
        name: f'"{setting["default"]}"' if setting["type"] == "string" else str(setting["default"])
        for name, setting in SETTINGS.items()
    }
    for command in MANIFEST["contributes"]["commands"]:
        assert f"*{command['category']}: {command['title']}*" in PAGE
    (program,) = re.findall(r"python -c \"(.*)\"", PAGE)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert (Path(done.stdout.strip()) / "package.json").is_file()


def test_numbers_and_configurations_are_those_of_the_code() -> None:
    words = " ".join(PAGE.split())
    assert f"At most {MOST} errors are shown for one file" in words
    assert f"stopped after {SECONDS:g} seconds" in words
    assert f"{PAUSE} seconds of pause" in words
    (helix,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    server = tomllib.loads(helix)["language-server"]["capnweb-gen"]
    assert [server["command"], *server["args"]] == ["capnweb-gen", "lsp"]
    for language in ("lua", "lisp"):
        (written,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
        assert re.search(r'"capnweb-gen",? "lsp"', written)
        assert written.count("(") == written.count(")")
