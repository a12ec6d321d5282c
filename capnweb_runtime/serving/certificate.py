"""A server's certificate, in files. Rule: read once, when the server is made, so that what is wrong with them is said
there.
"""

from __future__ import annotations

import ssl as ssl_module
from dataclasses import dataclass, field
from os import PathLike


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a server's certificate and its key are, for `serve(ssl=...)`. HTTP/3 has TLS of its own, which cannot use
    an SSLContext; this serves every transport.

    Parameters:
        chain: file in PEM with the certificate, and those that lead from it to one that clients trust.
        key: file in PEM with the private key; None means that it is in the other file, too.
        password: of the key, if it has one.
    """

    chain: str | PathLike[str]
    key: str | PathLike[str] | None = None
    password: str | None = field(default=None, repr=False)

    def context(self) -> ssl_module.SSLContext:
        """Settings of TLS for a server with this certificate.

        Raises:
            OSError: a file cannot be read, or is not what it should be; ssl.SSLError is one.
        """
        context = ssl_module.create_default_context(ssl_module.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key, self.password)
        return context
