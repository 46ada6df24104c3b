"""The system with the wire to orders' peers in a test's hands, and with small waits.

Of what is not scarce there is more than can be bought. In a hasty one goods are held for a few seconds only and given
back at once then, so that the expiry takes part in what happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from deploy.topology import FAULTLINE, Process, Topology

HOST = "127.0.0.1"

_PREFIX = "WIRED_"
_HASTY = "HASTY_"

_PLENTY = "100000000"

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "orders": {"RECOVERY_INTERVAL_S": "0.2", "RECOVERY_CONCURRENCY": "20", "RECOVERY_BACKOFF_MAX_S": "1"},
    "inventory": {"CATALOGUE_STOCK": _PLENTY},
    "payments": {"PROVIDER_LATENCY_MS": "40"},
}
_SETTINGS_IN_HASTE: Mapping[str, Mapping[str, str]] = {
    "inventory": {
        "CATALOGUE_STOCK": _PLENTY,
        "RESERVATION_TTL_S": "8",
        "EXPIRY_INTERVAL_S": "0.5",
        "EXPIRY_GRACE_S": "0",
    }
}


def reference(*, inventory: int, payments: int, hasty: bool) -> str:
    """How the supervisor is told of the system whose wire listens on these ports."""
    return f"{__name__}:{_PREFIX}{_HASTY if hasty else ''}{inventory}_{payments}"


def __getattr__(name: str) -> Topology:
    """The supervisor is a process of its own, so that the name carries what it has to know."""
    if not name.startswith(_PREFIX):
        raise AttributeError(name)
    rest = name.removeprefix(_PREFIX)
    wire = [f"{HOST}:{int(port)}" for port in rest.removeprefix(_HASTY).split("_")]
    settings = {**_SETTINGS, **(_SETTINGS_IN_HASTE if rest.startswith(_HASTY) else {})}
    return replace(FAULTLINE, processes=tuple(_set(each, settings, wire) for each in FAULTLINE.processes))


def _set(process: Process, settings: Mapping[str, Mapping[str, str]], wire: Sequence[str]) -> Process:
    peers = dict(zip(("INVENTORY_TARGETS", "PAYMENTS_TARGETS"), wire, strict=True)) if process.name == "orders" else {}
    return replace(process, settings={**process.settings, **settings.get(process.name, {}), **peers})
