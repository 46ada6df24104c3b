"""A container's health check: `python -I -S health.py` ends with 0 when the process says that it is ready, else with 1.

Needs no package and no import that takes time, as it runs every few seconds in each container.
"""

import os
import socket
import sys

_PATIENCE_S = 2.0


def is_ready(port: int, host: str = "127.0.0.1") -> bool:
    """Whether `GET /readyz` is answered with 200."""
    request = f"GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), _PATIENCE_S) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not is_ready(int(os.environ["ADMIN_PORT"])))
