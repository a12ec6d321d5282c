"""What docs/webtransport.md says is so; the module for browsers is run in tests/browser."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import __main__ as commands
from capnweb_runtime import limits
from capnweb_runtime.serving.development_certificate import DAYS, DevelopmentCertificate, make_certificate
from capnweb_runtime.transports.webtransport import end, quic
from tests.project.sources import ROOT
from tests.runtime.example import Desk, DeskStub

TEXT = (ROOT / "docs" / "webtransport.md").read_text("utf-8")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DevelopmentCertificate:
    """A certificate under the names of the example."""
    made = make_certificate(tmp_path)
    Path(made.certificate.chain).replace(tmp_path / "chain.pem")
    monkeypatch.chdir(tmp_path)
    return made


async def test_the_example_serves_and_connects(made: DevelopmentCertificate) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    # Nobody may use that port and that name here.
    code = code.replace('"0.0.0.0",\n    443,', '"127.0.0.1",\n    0,').replace("https://example.org/", "URL")
    before, _, after = code.partition("session = ")
    names: dict[str, Any] = {"Front": Desk, "FrontStub": DeskStub}
    exec(before, names)
    async with names["server"] as server:
        trusting = ssl.create_default_context(cafile=str(made.authority))
        names |= {"URL": server.http_url, "trusting": trusting}
        exec("session = " + after.replace('"URL"', "URL").rstrip().removesuffix(")") + ", ssl=trusting)", names)
        async with names["session"] as api:
            assert await api.add(1, 2) == 3


def test_the_command_says_what_the_document_shows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (shown,) = re.findall(r"```console\n\$ python -m capnweb_runtime (.*?)\n(.*?)```", TEXT, re.DOTALL)
    monkey = tmp_path / "certificates"
    assert shown[0] == "certificate --folder certificates"
    assert commands.main(["certificate", "--folder", str(monkey)]) == 0
    said = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    said = re.sub(r", until [-\d]+ [:\d]+ UTC", "", re.sub(r'fromBase64\("[^"]+"\)', 'fromBase64("…")', said))
    assert said == shown[1]


def test_the_figures_are_those_of_the_code() -> None:
    assert quic.WINDOW == 1024 * 1024
    assert "a window of 1 MiB" in " ".join(TEXT.split())
    assert end.HIGH_WATER == 256 * 1024
    assert "at most 256 KiB may be unacknowledged" in " ".join(TEXT.split())
    assert quic.configuration(is_client=True, keepalive=20.0).idle_timeout == 40.0
    assert "silent for twice `keepalive`" in " ".join(TEXT.split())
    assert DAYS < 14
    assert limits.DEFAULT_LIMITS.message_size == 32 * 1024 * 1024
    assert "longest = 32 * 1024 * 1024" in TEXT
