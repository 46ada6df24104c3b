"""`alertmanager.yml`: how alerts are grouped, which silences which, and who is told.

Everything goes to one receiver, the system's own; who has people to wake adds a receiver and a route for `severity="page"`.
https://prometheus.io/docs/alerting/latest/configuration/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from observability.stack.inhibitions import Inhibition, inhibitions
from observability.stack.objectives import Slo, load_all
from observability.stack.profiles import Profile

NAME: Final = "faultline-alerts"
_HEADER: Final = (
    "# Made from slo.yaml by observability/stack/alertmanager/config.py (`make stack`). Change those, not this.\n"
)


@dataclass(frozen=True)
class Receiver:
    """Where notifications go: `url`, and the file with the bearer token, which Alertmanager reads itself."""

    url: str
    token_file: str


_IN_COMPOSE: Final = Receiver(
    "http://faultline-alerts:8902/notifications", "/run/faultline/alertmanager/notifications-token"
)


def files() -> Mapping[str, str]:
    """Text by name, relative to `observability/stack`: that of the demonstration in containers."""
    slo = load_all()
    return {"alertmanager/alertmanager.yml": _HEADER + render(slo, slo.profiles["demo"], _IN_COMPOSE)}


def render(slo: Slo, profile: Profile, receiver: Receiver) -> str:
    """The file's content."""
    document: dict[str, Any] = {
        "route": _route(profile),
        "inhibit_rules": [_inhibit_rule(each) for each in inhibitions(slo)],
        "receivers": [{"name": NAME, "webhook_configs": [_webhook(receiver)]}],
    }
    return yaml.safe_dump(document, sort_keys=False, width=120)


def _route(profile: Profile) -> dict[str, Any]:
    """A journey's alerts of one severity are one notification, and so are a service's."""
    return {
        "receiver": NAME,
        "group_by": ["severity", "journey", "service"],
        "group_wait": profile.group_wait,
        "group_interval": profile.group_interval,
        "repeat_interval": profile.repeat_interval,
        "routes": [
            {
                "matchers": ['alertname="Watchdog"'],
                "receiver": NAME,
                "group_wait": "0s",
                "repeat_interval": profile.heartbeat,
            }
        ],
    }


def _webhook(receiver: Receiver) -> dict[str, Any]:
    authorization = {"type": "Bearer", "credentials_file": receiver.token_file}
    return {"url": receiver.url, "send_resolved": True, "http_config": {"authorization": authorization}}


def _inhibit_rule(each: Inhibition) -> dict[str, Any]:
    return {
        "source_matchers": [f'{name}=~"{pattern}"' for name, pattern in each.source],
        "target_matchers": [f'{name}=~"{pattern}"' for name, pattern in each.target],
        "equal": list(each.equal),
    }
