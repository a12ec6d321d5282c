"""Certificates for development are what browsers demand, what programs trust, and readable by their owner alone."""

from __future__ import annotations

import base64
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from capnweb_runtime import __main__ as commands
from capnweb_runtime import connect, serve
from capnweb_runtime.serving.development_certificate import make_certificate
from tests.runtime.transports.example_api import Example, ExampleStub


def test_it_is_what_browsers_demand(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "new", ("example.test", "::1"))
    certificate = x509.load_pem_x509_certificate(Path(made.certificate.chain).read_bytes())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < datetime.timedelta(days=14)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["example.test", "::1"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [*usage] == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert made.sha256 == certificate.fingerprint(hashes.SHA256())
    assert base64.b64decode(made.base64) == made.sha256


def test_nobody_else_can_read_the_key_not_even_one_that_was_there_before(tmp_path: Path) -> None:
    for _ in range(2):
        made = make_certificate(tmp_path)
        assert made.certificate.key is not None
        assert Path(made.certificate.key).stat().st_mode & 0o777 == 0o600


async def test_programs_trust_it_by_its_authority(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(made.authority))
    async with (
        serve(lambda peer: Example(), "127.0.0.1", 0, ssl=made.certificate) as server,
        connect(server.url, ExampleStub, ssl=trusting) as api,
    ):
        assert await api.add(1, 2) == 3


class TestCommand:
    def test_it_says_where_it_is_and_its_hash(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert commands.main(["certificate", "--folder", str(tmp_path), "example.test"]) == 0
        first, second, third, empty, last = capsys.readouterr().out.splitlines()
        assert first.startswith(f"{tmp_path}/certificate.pem  for example.test, until ")
        assert second == f"{tmp_path}/key.pem          its key"
        assert f'cafile="{tmp_path}/authority.pem"' in third
        assert empty == ""
        digest = x509.load_pem_x509_certificate((tmp_path / "certificate.pem").read_bytes()).fingerprint(
            hashes.SHA256()
        )
        assert f'fromBase64("{base64.b64encode(digest).decode()}")' in last

    def test_what_cannot_be_written_is_one_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "file").touch()
        assert commands.main(["certificate", "--folder", str(tmp_path / "file" / "below")]) == 1
        assert capsys.readouterr().err.startswith("capnweb_runtime: cannot write a certificate: ")
