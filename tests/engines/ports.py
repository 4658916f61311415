"""Free ports for engines.

Below 32768, where the system hands out none by itself: a client that reconnects to a server that
is down could otherwise get the server's own port, connect to itself, and keep the server out.
"""

import random
import socket

_LOWEST, _HIGHEST = 20_000, 32_767
_TRIES = 200


def free_port() -> int:
    """A TCP port that nobody uses on loopback now.

    Raises:
        RuntimeError: none was found.
    """
    for port in random.sample(range(_LOWEST, _HIGHEST), _TRIES):
        with socket.socket() as told:
            try:
                told.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("there is no free port")
