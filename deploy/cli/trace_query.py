"""Finds traces over Jaeger's query API: one by id, or the newest that fulfils every condition."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from deploy.errors import DeployError, NotFoundError
from observability import semconv

CHECKOUT_OPERATION: Final = "POST /api/v1/orders"
ANY_FAULT: Final = "any"
_NEWEST: Final = 100
"""Traces of each service that are looked at."""
_TIMEOUT_S: Final = 10.0
_FAULT_NAMES: Final = frozenset({semconv.FAULT_KIND, semconv.FAULT_ID, semconv.EXPERIMENT})

JaegerTrace = dict[str, Any]
"""One element of `data` in Jaeger's answer."""


class BackendAwayError(DeployError):
    """The trace backend does not answer, or not as Jaeger does."""

    exit_code = 69


@dataclass(frozen=True)
class Wanted:
    """Conditions on a trace as a whole: one span may have failed, another have met the fault.

    `service` took part; `errors`: something failed; it lasted `min_duration_s` at least; `fault` is the kind, id or
    experiment of a fault that was injected, or `any`.
    """

    service: str = ""
    errors: bool = False
    min_duration_s: float | None = None
    fault: str = ""

    def __str__(self) -> str:
        """As it stands on the command line."""
        given = {
            f"--service {self.service}": self.service,
            "--errors": self.errors,
            f"--min-duration {self.min_duration_s or 0:g}s": self.min_duration_s,
            f"--fault {self.fault}": self.fault,
        }
        return " ".join(option for option, value in given.items() if value)

    def matches(self, trace: JaegerTrace) -> bool:
        """Whether all of it is so."""
        return (
            (not self.service or self.service in _services(trace))
            and (not self.errors or any(map(_failed, trace["spans"])))
            and (self.min_duration_s is None or _duration_us(trace) >= self.min_duration_s * 1e6)
            and (not self.fault or any(self.fault in (ANY_FAULT, *names) for names in _faults(trace)))
        )


def by_id(query_url: str, trace_id: str) -> JaegerTrace:
    """Raises NotFoundError, BackendAwayError."""
    found = _ask(query_url, f"/api/traces/{trace_id}")
    if not found:
        raise NotFoundError(f"there is no trace {trace_id}; the backend keeps only the newest, see {query_url}")
    return dict(found[0])


def newest_checkout(query_url: str) -> JaegerTrace:
    """Raises NotFoundError when there was none yet, BackendAwayError."""
    found = _search(query_url, service="gateway", operation=CHECKOUT_OPERATION, limit=20)
    if not found:
        raise NotFoundError("there is no trace of a checkout yet; send some with `faultline load --duration 5`")
    return max(found, key=_started)


def newest(query_url: str, wanted: Wanted) -> JaegerTrace:
    """The newest of the newest 100 traces of each service. Raises NotFoundError, BackendAwayError."""
    services = _ask(query_url, "/api/services")
    if wanted.service and wanted.service not in services:
        known = f"there are {', '.join(sorted(services))}" if services else "there are none yet"
        raise NotFoundError(f"there is no trace of a service {wanted.service!r}; {known}")
    narrowing = _narrowing(wanted)
    found = _matching(query_url, wanted, services, narrowing)
    if not found and "tags" in narrowing:
        found = _matching(query_url, wanted, services, {})
    if not found:
        raise NotFoundError(
            f"no trace fulfils {wanted}; looked at the newest {_NEWEST} of each service, see {query_url}"
        )
    return max(found, key=_started)


def _narrowing(wanted: Wanted) -> Mapping[str, str]:
    """The one condition that the backend is asked for, as all of a query must hold of one span; the rest is looked at here.

    A backend may not know it: Jaeger's memory does not find a failed span by the tag that it shows.
    """
    if wanted.fault:
        return {"tags": json.dumps({"event": semconv.EVENT_FAULT_INJECTED})}
    if wanted.errors:
        return {"tags": json.dumps({"error": "true"})}
    return {"minDuration": f"{wanted.min_duration_s:g}s"} if wanted.min_duration_s else {}


def _matching(
    query_url: str, wanted: Wanted, services: Sequence[str], narrowing: Mapping[str, str]
) -> list[JaegerTrace]:
    """Of the newest of each service that may show it: a fault and an error may be another's than `service`."""
    asked = [wanted.service] if wanted.service and "tags" not in narrowing else services
    found = (trace for service in asked for trace in _search(query_url, service=service, limit=_NEWEST, **narrowing))
    return [trace for trace in found if wanted.matches(trace)]


def _search(query_url: str, **conditions: str | int) -> list[JaegerTrace]:
    return _ask(query_url, f"/api/traces?{urlencode(conditions)}")


def _started(trace: JaegerTrace) -> int:
    return min((int(span["startTime"]) for span in trace["spans"]), default=0)


def _duration_us(trace: JaegerTrace) -> int:
    return max((int(span["startTime"] + span["duration"]) for span in trace["spans"]), default=0) - _started(trace)


def _services(trace: JaegerTrace) -> set[str]:
    return {process["serviceName"] for process in trace["processes"].values()}


def _failed(span: dict[str, Any]) -> bool:
    return any(tag["key"] == "error" and tag["value"] in (True, "true") for tag in span["tags"])


def _faults(trace: JaegerTrace) -> Iterator[list[str]]:
    """What each fault that was injected goes by."""
    for span in trace["spans"]:
        for event in span["logs"] or ():
            fields = {field["key"]: str(field["value"]) for field in event["fields"]}
            if fields.get("event") == semconv.EVENT_FAULT_INJECTED:
                yield [value for key, value in fields.items() if key in _FAULT_NAMES]


def _ask(query_url: str, path: str) -> list[Any]:
    """`data` of the answer; empty for 404. Raises BackendAwayError."""
    connection = http.client.HTTPConnection(urlsplit(query_url).netloc, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 404:
            return []
        return list(json.loads(body)["data"] or [])
    except (OSError, http.client.HTTPException) as exc:
        raise BackendAwayError(
            f"the trace backend at {query_url} does not answer: {exc}; see `faultline status`"
        ) from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise BackendAwayError(f"{query_url} does not answer like Jaeger ({answer.status})") from exc
    finally:
        connection.close()
