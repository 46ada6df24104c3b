"""Where load may go: to this machine, and nowhere else."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from chaos.load.errors import TargetError


def loopback_url(url: str) -> str:
    """`http://host:port` without anything behind it, when the host is a loopback address or `localhost`.

    Names other than `localhost` are refused without being looked up. Raises `TargetError`.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username is not None:
        raise TargetError(f"{url!r} is not of the form http://HOST:PORT")
    if not is_loopback(parts.hostname):
        raise TargetError(f"{parts.hostname} is not a loopback address: load is sent to this machine only")
    return f"http://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether the host is surely this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
