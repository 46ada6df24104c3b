import pytest

from chaos.load.errors import TargetError
from chaos.load.target import loopback_url


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.9.9.9:80/api?x=1", "http://127.9.9.9:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_this_machine_may_be_loaded(url: str, base: str) -> None:
    assert loopback_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:8080",
        "http://0.0.0.0:8080",
        "http://[::]:80",
        "http://example.org",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://127.0.0.1@example.org",
        "http://127.1:80",
        "https://127.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1:8080",
        "http://",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(TargetError):
        loopback_url(url)


def test_a_container_must_be_named() -> None:
    assert loopback_url("http://gateway:8080", ["gateway"]) == "http://gateway:8080"
    with pytest.raises(TargetError, match="gateway is not a loopback address"):
        loopback_url("http://gateway:8080", ["orders"])
