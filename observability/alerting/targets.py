"""Who is scraped."""

import re
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"(?P<service>[\w.-]+)/(?P<instance>[\w.-]+)=(?P<address>\S+:\d+)")


@dataclass(frozen=True)
class Target:
    """A process that tells its metrics at `http://address/metrics`."""

    service: str
    instance: str
    address: str


def targets_in(value: object) -> object:
    """`gateway/gateway-1=127.0.0.1:9080,…` → targets. Raises ValueError naming the part that is none."""
    if not isinstance(value, str):
        return value
    return [_target(each.strip()) for each in value.split(",") if each.strip()]


def _target(text: str) -> Target:
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not service/instance=host:port")
    return Target(found["service"], found["instance"], found["address"])
