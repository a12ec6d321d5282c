"""Certificates for trying things out: browsers accept them by their hash, programs by the authority that has signed
them. Rule: nobody has to trust one for longer than it takes, and the key of the authority is thrown away at once.

A page names the hash in `new WebTransport(url, {serverCertificateHashes: [...]})`. What is demanded: ECDSA with P-256,
and two weeks of validity at most (https://www.w3.org/TR/webtransport/#custom-certificate-requirements). Chromium has
been seen to refuse one without the extensions that are set here, or of exactly two weeks.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from capnweb_runtime.serving.certificate import Certificate

DAYS: Final = 10
_AUTHORITY: Final = "capnweb-gen development"
_USES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
_CLOCKS_APART: Final = datetime.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DevelopmentCertificate:
    """A certificate that has been written to files.

    Attributes:
        certificate: where it is, for `serve(ssl=...)`.
        authority: file in PEM with the certificate of who has signed it: `ssl.create_default_context(cafile=authority)`
            is what a client in Python trusts it with.
        sha256: the hash of it, 32 bytes, by which a browser accepts it.
        until: when it ends.
    """

    certificate: Certificate
    authority: Path
    sha256: bytes
    until: datetime.datetime

    @property
    def base64(self) -> str:
        """The hash as text."""
        return base64.b64encode(self.sha256).decode()


def make_certificate(
    folder: Path, hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1"), *, now: datetime.datetime | None = None
) -> DevelopmentCertificate:
    """Makes a certificate for a server in development, and writes `certificate.pem`, `key.pem` and `authority.pem`.

    Parameters:
        folder: where to; it is made if it is missing.
        hosts: names and addresses of the server.
        now: when it begins; None means now.

    Returns:
        What was made.

    Raises:
        OSError: it cannot be written.
    """
    begin = (now or datetime.datetime.now(datetime.UTC)) - _CLOCKS_APART
    until = begin + datetime.timedelta(days=DAYS)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    signer = (
        _built(_AUTHORITY, _AUTHORITY, authority, begin, until, _uses("key_cert_sign"), is_authority=True)
        .add_extension(signed_by, critical=False)
        .sign(authority, hashes.SHA256())
    )
    made = (
        _built(hosts[0], _AUTHORITY, key, begin, until, _uses("digital_signature"), is_authority=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(signed_by, critical=False)  # Python 3.13 demands both key identifiers
        .sign(authority, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    chain_file, key_file, authority_file = (folder / f"{name}.pem" for name in ("certificate", "key", "authority"))
    chain_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    authority_file.write_bytes(signer.public_bytes(serialization.Encoding.PEM))
    _write_secret(
        key_file,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    certificate = Certificate(chain_file, key_file)
    return DevelopmentCertificate(certificate, authority_file, made.fingerprint(hashes.SHA256()), until)


def _built(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    begin: datetime.datetime,
    until: datetime.datetime,
    usage: x509.KeyUsage,
    *,
    is_authority: bool,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(
            _name(issuer), _name(subject), key.public_key(), x509.random_serial_number(), begin, until
        )
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _uses(only: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name == only for name in _USES})


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_secret(path: Path, data: bytes) -> None:
    """Writes a file that nobody else may read, from its first moment on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
