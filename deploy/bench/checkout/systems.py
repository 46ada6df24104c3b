"""The system as it comes, and with other settings for its telemetry; with goods enough for any number of checkouts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from deploy.topology import BACKEND, FAULTLINE, Topology

_PLENTY: Final = {
    "inventory": {"CATALOGUE_STOCK": "1000000"},
    "payments": {"PROVIDER_CONCURRENCY": "100"},
    "gateway": {"REQUEST_TIMEOUT_MS": "30000"},  # a busy machine is no reason to give up
}


def _with(settings: Mapping[str, str]) -> Topology:
    """Every service with `settings`; the trace backend as it is."""
    processes = (
        each
        if each.name == BACKEND
        else replace(each, settings={**each.settings, **_PLENTY.get(each.name, {}), **settings})
        for each in FAULTLINE.processes
    )
    return replace(FAULTLINE, processes=tuple(processes))


OBSERVED: Final = _with({})
LEAN: Final = _with({"HTTP_SERVER_SPANS": "lean"})
UNTRACED: Final = _with({"OTEL_EXPORTER_OTLP_ENDPOINT": "", "TRACE_SAMPLE_RATIO": "0"})
