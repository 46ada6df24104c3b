"""Speaks to a supervisor's control API. Blocking, and quick to import."""

import http.client
import json
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from deploy.errors import ControlError, RefusedError, SupervisorAwayError

_TIMEOUT_S: Final = 10.0

Document = dict[str, Any]


class SupervisorClient:
    """`address` such as `http://127.0.0.1:8900`; `token` from the state folder's control.json.

    Every method raises SupervisorAwayError when nobody answers, RefusedError when the token is not accepted,
    ControlError for every other refusal (unknown process, not in a state for that, wrong value).
    """

    def __init__(self, address: str, token: str, timeout_s: float = _TIMEOUT_S) -> None:
        self.address = address
        self._place = urlsplit(address).netloc
        self._token = token
        self._timeout_s = timeout_s

    def health(self) -> Document:
        """`{"status": "starting" | "ready" | "stopping", "pid"}`."""
        return self._ask("GET", "/healthz")

    def topology(self) -> Document:
        """As in topology.json."""
        return self._ask("GET", "/topology")

    def overview(self) -> Document:
        """`{"processes": [...], "supervisor": {...}}`."""
        return self._ask("GET", "/processes")

    def processes(self) -> list[Document]:
        """Each with `instance, service, state, pid, ports, memory_bytes, memory_kind, restarts, uptime_s, ...`."""
        found: list[Document] = self.overview()["processes"]
        return found

    def process(self, instance: str) -> Document:
        """Raises ControlError when there is none of that name."""
        for each in self.processes():
            if each["instance"] == instance:
                return each
        raise ControlError(f"there is no process {instance!r}", status=404)

    def kill(self, instance: str, ttl_s: float = 0.0) -> Document:
        """SIGKILL, held down for `ttl_s`; the answer's `pid` is the killed one."""
        return self._ask("POST", f"/processes/{instance}/kill", {"ttl_s": ttl_s})

    def pause(self, instance: str, ttl_s: float = 60.0) -> Document:
        """SIGSTOP, and SIGCONT after `ttl_s`."""
        return self._ask("POST", f"/processes/{instance}/pause", {"ttl_s": ttl_s})

    def resume(self, instance: str) -> Document:
        """SIGCONT."""
        return self._ask("POST", f"/processes/{instance}/resume")

    def restart(self, instance: str) -> Document:
        """Ended in order and started again."""
        return self._ask("POST", f"/processes/{instance}/restart")

    def logs(self, instance: str = "", trace_id: str = "", tail: int = 1000) -> list[Document]:
        """`{"instance", "record"}` each, by time."""
        wanted = {"instance": instance, "trace_id": trace_id, "tail": tail}
        query = urlencode({name: value for name, value in wanted.items() if value})
        lines: list[Document] = self._ask("GET", f"/logs?{query}")["lines"]
        return lines

    def shutdown(self) -> Document:
        """Asks for the end of everything; returns before it has come."""
        return self._ask("POST", "/shutdown")

    def _ask(self, method: str, path: str, body: Document | None = None) -> Document:
        status, document = self._exchange(method, path, json.dumps(body) if body else None)
        if status == 401:
            raise RefusedError(f"{self.address}: {document.get('detail', 'refused')}", status)
        if status >= 400:
            raise ControlError(str(document.get("detail") or f"{self.address}{path}: {status}"), status)
        return document

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, Document]:
        connection = http.client.HTTPConnection(self._place, timeout=self._timeout_s)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self._token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException) as exc:
            raise SupervisorAwayError(f"the supervisor at {self.address} does not answer: {exc}") from exc
        except ValueError as exc:
            raise SupervisorAwayError(f"{self.address} does not answer like a supervisor") from exc
        finally:
            connection.close()
