"""A server's certificate, in files. Rule: read once, when the server is made, so that what is wrong with them is said
there.
"""

from __future__ import annotations

import ssl as ssl_module
from dataclasses import dataclass, field
from os import PathLike


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a server's certificate and private key, for `serve(ssl=...)`. It is good for every transport, while
    an SSLContext cannot be used for WebTransport. The files are read when `serve` is called.

    Parameters:
        chain: PEM file with the certificate, followed by the intermediate certificates that lead to one that clients
            trust.
        key: PEM file with the private key; None means that the key stands in the first file, too.
        password: password of the private key; None if it has none.
    """

    chain: str | PathLike[str]
    key: str | PathLike[str] | None = None
    password: str | None = field(default=None, repr=False)

    def context(self) -> ssl_module.SSLContext:
        """Makes an SSLContext for a server with this certificate.

        Raises:
            OSError: a file cannot be read, or, as an ssl.SSLError, has no certificate or key in it.
        """
        context = ssl_module.create_default_context(ssl_module.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key, self.password)
        return context
