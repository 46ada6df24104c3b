"""Chaos Toolkit's actions: what an experiment does to the system. Durations are seconds.

Each returns what is worth keeping in Chaos Toolkit's journal, and raises MeasureError with the reason when it fails.
"""

from typing import Any

from chaos.toolkit import faults, session
from chaos.toolkit.faults import Injected, Killed, Paused


def use_policies(preset: str) -> str:
    """Puts every edge under a preset (`off`, `timeouts`, ..., `full`); what was there comes back after the run."""
    running = session.current()
    running.policies.choose(preset)
    running.tell(f"policies: {preset}")
    return preset


def observe(seconds: float) -> str:
    """Lets load and system go on for so long; shorter only when the run is to end."""
    running = session.current()
    began_s = running.now_s
    running.wait(float(seconds))
    return f"{running.now_s - began_s:.1f} s"


def kill(service: str, ttl_s: float) -> str:
    """Kills all replicas of a service, which stay down until `lift`, at most `ttl_s`."""
    running = session.current()
    return _begin(Killed(running.site, service, float(ttl_s), running.options.edge))


def pause(service: str, ttl_s: float) -> str:
    """Stops all replicas of a service without ending them, until `lift`, for `ttl_s` at most: a gray failure."""
    running = session.current()
    return _begin(Paused(running.site, service, float(ttl_s), running.options.edge))


def inject(
    service: str,
    kind: str,
    ttl_s: float,
    experiment: str,
    parameters: dict[str, Any] | None = None,
    probability: float = 1.0,
    operation: str = "",
) -> str:
    """A fault inside of all replicas of a service, until `lift`, for `ttl_s` at most; metrics call it `experiment`."""
    wanted = faults.wanted(service, kind, ttl_s, experiment, parameters, probability, operation)
    return _begin(Injected(session.current().site, wanted))


def _begin(fault: faults.Fault) -> str:
    session.current().begin(fault)
    return fault.described


def lift() -> str:
    """Takes away every fault that this run has begun."""
    running = session.current()
    running.lift()
    return ", ".join(each.said for each in running.effects()) or "nothing was begun"


def end_load() -> int:
    """Ends the load, waits for its last answers, and returns how many requests were sent."""
    running = session.current()
    running.end_load()
    return len(running.requests)
