"""Free ports for servers.

They are below 32768, where Linux assigns none to outgoing connections. Otherwise a client that
reconnects to a stopped server could get the server's port, connect to itself, and keep it busy.
"""

import random
import socket

_LOWEST, _HIGHEST = 20_000, 32_767
_TRIES = 200


def free_port() -> int:
    """A TCP port of loopback that is not in use now.

    Raises:
        RuntimeError: none was found.
    """
    for port in random.sample(range(_LOWEST, _HIGHEST), _TRIES):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("there is no free port")
