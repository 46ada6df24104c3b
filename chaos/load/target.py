"""Where load may go: to this machine, and to containers on it that are named, and nowhere else."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from chaos.load.errors import TargetError


def loopback_url(url: str, containers: Collection[str] = ()) -> str:
    """`http://host:port` without anything behind it, when the host is a loopback address, `localhost` or one of `containers`.

    Other names are refused without being looked up. Raises `TargetError`.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username is not None:
        raise TargetError(f"{url!r} is not of the form http://HOST:PORT")
    if not is_loopback(parts.hostname) and parts.hostname not in containers:
        raise TargetError(f"{parts.hostname} is not a loopback address: load is sent to this machine only")
    return f"http://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether the host is surely this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
