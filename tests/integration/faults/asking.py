"""Setting faults in a site, and waiting until one has touched somebody."""

from typing import Any

from observability import semconv
from services.chassis.faults.site import FaultSite
from services.chassis.faults.store import Armed
from tests.integration.chassis.processes import eventually
from tests.unit.chassis.recording import Recording

LONG_MS = 500_000
"""A wait that no test waits for."""


def set_fault(site: FaultSite, kind: str, *, ttl_s: float = 600.0, **members: Any) -> Armed:
    """Puts it in force in `site`."""
    return site.add({"kind": kind, "ttl_s": ttl_s, **members})


async def touched(armed: Armed, times: int = 1) -> None:
    """Returns once the fault has touched so many requests."""

    async def check() -> None:
        assert armed.touched == times

    await eventually(check)


def assert_told(recording: Recording, armed: Armed, span_name: str) -> None:
    """The span tells of the fault, by attribute and event, and the fault is counted."""
    span = recording.named(span_name)
    about = {
        semconv.FAULT_ID: armed.fault.fault_id,
        semconv.FAULT_KIND: armed.fault.kind,
        semconv.EXPERIMENT: "manual",
    }
    assert about.items() <= dict(span.attributes or {}).items()
    assert [(each.name, dict(each.attributes or {})) for each in span.events if "fault" in each.name] == [
        (semconv.EVENT_FAULT_INJECTED, about)
    ]
    assert recording.count(semconv.FAULTS_TOUCHED, "manual", armed.fault.kind) == armed.touched
