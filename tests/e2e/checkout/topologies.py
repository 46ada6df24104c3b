"""The system with the wire to orders' peers in a test's hands, small waits, and more on its shelves than can be bought.

Goods are held for a few seconds only and given back at once then, so that the expiry takes part in what happens.
"""

from collections.abc import Mapping
from dataclasses import replace

from deploy.topology import FAULTLINE, Process, Topology

HOST = "127.0.0.1"

_PREFIX = "WIRED_"

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "orders": {"RECOVERY_INTERVAL_S": "0.2", "RECOVERY_CONCURRENCY": "20", "RECOVERY_BACKOFF_MAX_S": "1"},
    "inventory": {
        "CATALOGUE_STOCK": "100000000",
        "RESERVATION_TTL_S": "8",
        "EXPIRY_INTERVAL_S": "0.5",
        "EXPIRY_GRACE_S": "0",
    },
    "payments": {"PROVIDER_LATENCY_MS": "40"},
}


def reference(port: int) -> str:
    """How the supervisor is told of the system whose wire listens on that port."""
    return f"{__name__}:{_PREFIX}{port}"


def __getattr__(name: str) -> Topology:
    """The supervisor is a process of its own, so that the name carries what it has to know: `WIRED_<port>`."""
    if not name.startswith(_PREFIX):
        raise AttributeError(name)
    wire = f"{HOST}:{int(name.removeprefix(_PREFIX))}"
    return replace(FAULTLINE, processes=tuple(_set(each, wire) for each in FAULTLINE.processes))


def _set(process: Process, wire: str) -> Process:
    peers = {"INVENTORY_TARGETS": wire, "PAYMENTS_TARGETS": wire} if process.name == "orders" else {}
    return replace(process, settings={**process.settings, **_SETTINGS.get(process.name, {}), **peers})
