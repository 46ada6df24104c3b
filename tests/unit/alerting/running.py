"""A real faultline-alerts process on free ports."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-of-some-length"
FREE_PORTS = {"HTTP_PORT": "0", "ADMIN_PORT": "0"}


def settings_with_token(folder: Path) -> dict[str, str]:
    """What the process needs: a file with its token, and ports."""
    file = folder / "token"
    file.write_text(f"{TOKEN}\n")
    return {**FREE_PORTS, "NOTIFICATIONS_TOKEN_FILE": str(file)}


def spawn(settings: Mapping[str, str], **options: Any) -> "subprocess.Popen[str]":
    """The process with nothing but `settings` in its environment that could matter."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "observability.alerting"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@dataclass(frozen=True)
class Running:
    process: "subprocess.Popen[str]"
    http_port: int
    admin_port: int

    def overview(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(_get(f"http://127.0.0.1:{self.http_port}/api/alerts"))
        return found

    def admin(self, path: str) -> str:
        return _get(f"http://127.0.0.1:{self.admin_port}{path}")


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


@contextmanager
def running(settings: Mapping[str, str], **options: Any) -> Iterator[Running]:
    """Started and ready; ended, by force if need be, when left."""
    process = spawn(settings, **options)
    try:
        yield Running(process, **_ports(process))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        finally:
            process.kill()


def _ports(process: "subprocess.Popen[str]") -> dict[str, int]:
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if said["message"] == "ready":
            return {key: value for key, value in said.items() if key.endswith("_port")}
    raise AssertionError(f"it ended before it was ready: {process.communicate()[1]}")
