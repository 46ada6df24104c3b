"""Makes what is in `dashboards` and `provisioning`."""

import json
from collections.abc import Mapping

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from observability.stack.grafana import chaos, cost, edges, frame, overview, provisioning, resilience

_DASHBOARDS = (overview, edges, resilience, chaos, cost)


def dashboards() -> Mapping[str, models.Dashboard]:
    """By the name of the module that builds it."""
    return {each.__name__.rpartition(".")[2]: each.build() for each in _DASHBOARDS}


def files() -> Mapping[str, str]:
    """Text by name, relative to `observability/stack`."""
    shown = {f"grafana/dashboards/{name}.json": _json(made) for name, made in dashboards().items()}
    return {**shown, **{f"grafana/provisioning/{name}": text for name, text in provisioning.files().items()}}


def _json(made: models.Dashboard) -> str:
    """What made it stands in the first line, as part of the description."""
    text = json.dumps(frame.document(made), cls=JSONEncoder, indent=1, ensure_ascii=False)
    return "{" + text.removeprefix("{\n") + "\n"
