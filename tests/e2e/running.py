"""Where to find what in a running system."""

import json
from typing import Any

from deploy.system import System
from tests.e2e.http_api import Api

SERVICES = ("gateway", "orders", "inventory", "payments")


def shopper(system: System) -> Api:
    """A client that may browse and buy."""
    return Api(system.gateway_url, system.key("demo").key)


def admin_url(system: System, service: str) -> str:
    return system.url(f"{service}-1", "ADMIN_PORT")


def log_lines(system: System, service: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in system.state.log_file(f"{service}-1").read_text().splitlines()]


def pid_of(system: System, process: str) -> int:
    """The process's pid. Raises AssertionError while it is down."""
    found = system.supervisor.process(f"{process}-1")
    assert found["pid"], f"{process} is {found['state']}"
    return int(found["pid"])
