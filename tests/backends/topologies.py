"""The system with somebody whom Alertmanager notifies; the reference is how the supervisor is told of it."""

from dataclasses import replace

from deploy.programs.catalogue import ALERTS, HTTP_PORT
from deploy.topology import Listener, Process, Readiness
from tests.e2e.topologies import PLENTIFUL

_RECEIVER = Process(
    ALERTS, "tests.backends.receiver", (Listener(HTTP_PORT, 8902),), readiness=Readiness(HTTP_PORT, "/readyz")
)
NOTIFIED = replace(PLENTIFUL, processes=(*PLENTIFUL.processes, _RECEIVER))
NOTIFIED_REFERENCE = f"{__name__}:NOTIFIED"
