"""Processor time that a running system has spent so far."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Spent:
    """Seconds, by the services and by the trace backend."""

    services_s: float
    backend_s: float

    def since(self, before: "Spent") -> "Spent":
        return Spent(self.services_s - before.services_s, self.backend_s - before.backend_s)


def spent_by(supervisor_pid: int) -> Spent:
    """Of everything that the supervisor runs, itself not included."""
    backend, services = 0.0, 0.0
    for process in psutil.Process(supervisor_pid).children(recursive=True):
        times = process.cpu_times()
        if any("observability.embedded" in argument for argument in process.cmdline()):
            backend += times.user + times.system
        else:
            services += times.user + times.system
    return Spent(services, backend)
