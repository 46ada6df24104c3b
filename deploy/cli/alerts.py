"""`faultline alerts`: objectives and what is left of their budgets, alerts, and who was told."""

import http.client
import json
from typing import Any, Final
from urllib.parse import urlsplit

import click

from deploy.cli.common import Running, running, system_option
from deploy.errors import ControlError, UsageError
from deploy.supervisor.state import StateFolder

_PATIENCE_S: Final = 10.0


@click.command("alerts")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@system_option
def command(state: StateFolder, as_json: bool) -> None:
    """Show objectives with their budgets and burn rates, alerts that are pending or fire, and what was delivered.

    The burn rate is how many times as fast as it lasts a budget is spent, over each window. It says who evaluates: a
    Prometheus, or the process faultline-alerts itself.
    """
    found = overview(running(state))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from deploy.cli.alerts_view import show  # noqa: PLC0415 -- with rich, which JSON does not need

    show(found)


def overview(system: Running) -> dict[str, Any]:
    """What the process says. Raises UsageError for a system without one, ControlError when it does not say."""
    url = system.topology.get("alerts_url")
    if not url:
        raise UsageError("this system has no faultline-alerts: nobody evaluates objectives or receives notifications")
    try:
        found = json.loads(_body(url))
    except (OSError, http.client.HTTPException, ValueError) as exc:
        told = f"{type(exc).__name__} {exc}".rstrip()
        raise ControlError(f"faultline-alerts at {url} does not answer: {told}; see `faultline status`") from exc
    if not isinstance(found, dict):
        raise ControlError(f"faultline-alerts at {url} answers what is not understood")
    return found


def _body(url: str) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE_S)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(f"answered {answer.status}")
    return body
