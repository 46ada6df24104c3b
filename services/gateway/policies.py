"""What may stand between the gateway and its peers: one row per edge. Which of it is in force is switched at run time."""

from collections.abc import Mapping
from dataclasses import replace

from services.chassis.resilience.defaults import guarded
from services.chassis.resilience.fallback import FallbackConfig
from services.chassis.resilience.hedge import HedgeConfig
from services.chassis.resilience.policy import EdgePolicy

_READS = frozenset({"ListProducts", "GetProduct"})


def policies(request_timeout: float) -> Mapping[str, EdgePolicy]:
    """Callee → the policies of the edge to it. All of a request's time, in seconds, may be spent on a checkout."""
    return {
        "orders": guarded(request_timeout),
        "inventory": replace(guarded(1.0), hedge=HedgeConfig(_READS), fallback=FallbackConfig()),
    }
