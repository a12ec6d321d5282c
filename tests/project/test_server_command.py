"""The command of docs/server.md serves its program."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "server.md").read_text("utf-8")
SECTION = TEXT.partition("## From the command line")[2].partition("\n## ")[0]
(COMMAND,) = re.findall(r"```sh\n(.*?)\n```", SECTION, re.DOTALL)
(PRINTED,) = re.findall(r"```console\n(.*?)\n```", SECTION, re.DOTALL)


@pytest.mark.parametrize("served", ["server:books_for", "service:service"])
def test_the_command_prints_what_is_shown_and_ends_when_told_to(tmp_path: Path, served: str) -> None:
    for file, content in re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content, "utf-8")
    (tmp_path / "schemas" / "__init__.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    compiling = [sys.executable, "-m", "capnweb_gen.cli", "schemas/books.py", "--out", "generated"]
    subprocess.run(compiling, cwd=tmp_path, env=environment, check=True, timeout=60)
    python, *arguments = shlex.split(COMMAND.replace("--port 8080", "--port 0").replace("server:books_for", served))
    assert python == "python"
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            assert re.sub(r":\d+/", ":8080/", server.stdout.readline().rstrip()) == PRINTED
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        finally:
            server.kill()


def test_every_option_of_the_text_is_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "capnweb_runtime", "serve", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert {*re.findall(r"--[a-z-]+", SECTION)} - {"--help"} <= {*re.findall(r"--[a-z-]+", done.stdout)}
