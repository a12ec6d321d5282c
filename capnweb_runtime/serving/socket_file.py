"""A socket that is a file of this machine. Rule: a file that another server has left behind is replaced, one at which
somebody listens never; the own one is removed at the end, and no other.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress


class SocketFile:
    """A file at which a socket listens.

    Parameters:
        path: of the file. Who may connect is decided by the permissions of its folder, and by its own, which follow
            from the umask of the process.

    Attributes:
        socket: what listens.

    Raises:
        OSError: somebody listens there, it is no socket, or the file cannot be made.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)  # noqa: PTH100  (a text it remains: the URL has it)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            try:
                self.socket.bind(path)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise OSError(error.errno, error.strerror, path) from None
                _remove_stale(path)
                self.socket.bind(path)
            self.socket.listen()
            self._made = _identity(self._path)
        except BaseException:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Removes the file, unless another has taken its place."""
        with suppress(OSError):
            if _identity(self._path) == self._made:
                os.unlink(self._path)  # noqa: PTH108


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def _remove_stale(path: str) -> None:
    """Removes a socket at which nobody listens. Raises OSError if it is none."""
    if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116
        raise OSError(errno.EEXIST, "A file that is no socket is there", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)  # noqa: PTH108
            return
        except BlockingIOError:  # more wait there than it takes
            pass
    raise OSError(errno.EADDRINUSE, "Somebody listens there already", path)
