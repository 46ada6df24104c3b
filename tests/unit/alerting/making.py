"""A system that tells counts, and an evaluator that looks at it every two seconds, as in `demo`."""

from collections import defaultdict
from collections.abc import Callable

from observability.alerting.counts import Scrape
from observability.alerting.evaluator import Evaluator
from observability.alerting.notifications import Notification
from observability.alerting.targets import Target
from observability.exposition import Series
from observability.stack.objectives import load_all

REQUESTS = "http_server_request_duration_seconds_count"
WITHIN = "http_server_request_duration_seconds_bucket"
SHED = "faultline_server_shed_total"
BREAKER = "faultline_circuit_breaker_state"
REJECTIONS = "faultline_circuit_breaker_rejections_total"
ATTEMPTS = "faultline_call_attempts_total"
SPANS = "faultline_telemetry_spans_total"
CHECKOUT = {"http_request_method": "POST", "http_route": "/api/v1/orders"}
BROWSE = {"http_request_method": "GET", "http_route": "/api/v1/products/{product_id}"}
STEP_S = 2.0
BEGAN_S = 1_700_000_000.0


def target(service: str, number: int = 1) -> Target:
    return Target(service, f"{service}-{number}", f"127.0.0.1:{number}")


class Watched:
    """The story of a system: `pass_` lets time pass, with so many requests of each kind in each step."""

    def __init__(self, *services: str) -> None:
        slo = load_all()
        self.delivered: list[Notification] = []
        self.evaluator = Evaluator(slo, slo.profiles["demo"], self.delivered.append)
        self.now_s, self.wall_s = 5_000.0, BEGAN_S
        self.values: dict[Target, defaultdict[Series, float]] = {
            target(each): defaultdict(float) for each in services or ("gateway",)
        }
        self.away: set[Target] = set()
        for journey in (CHECKOUT, BROWSE):
            for status in ("200", "201", "202", "503"):
                self.add("gateway", REQUESTS, 0, **journey, http_response_status_code=status)
            self.add("gateway", WITHIN, 0, **journey, http_response_status_code="200", le="0.5")
            self.add("gateway", WITHIN, 0, **journey, http_response_status_code="200", le="0.25")

    def add(self, service: str, name: str, amount: float, **labels: str) -> None:
        """Counts at the first replica."""
        if (counts := self.values.get(target(service))) is not None:
            counts[Series(name, tuple(sorted(labels.items())))] += amount

    def put(self, service: str, name: str, value: float, **labels: str) -> None:
        """Sets a gauge of the first replica."""
        self.values[target(service)][Series(name, tuple(sorted(labels.items())))] = value

    def restart(self, service: str) -> None:
        """All counts begin anew."""
        counts = self.values[target(service)]
        for series in counts:
            counts[series] = 0

    def requests(self, journey: dict[str, str], **by_status: float) -> None:
        """`_201=9, _503=1`; all of them quick."""
        for status, amount in by_status.items():
            self.add("gateway", REQUESTS, amount, **journey, http_response_status_code=status[1:])
        for le in ("0.25", "0.5"):
            total = sum(by_status.values())
            self.add("gateway", WITHIN, total, **journey, http_response_status_code="200", le=le)

    def pass_(self, seconds: float, each_step: Callable[[], None] = lambda: None) -> None:
        for _ in range(int(seconds / STEP_S)):
            each_step()
            self.now_s += STEP_S
            self.wall_s += STEP_S
            self.evaluator.observe(self.now_s, self.wall_s, self._scrapes())

    def until(self, condition: Callable[[], bool], each_step: Callable[[], None], at_most_s: float) -> float:
        """Seconds until the condition holds. Raises AssertionError when it does not in time."""
        began_s = self.now_s
        while not condition():
            assert self.now_s - began_s < at_most_s, "it never came"
            self.pass_(STEP_S, each_step)
        return self.now_s - began_s

    def state(self, name: str, severity: str) -> str:
        """`pending`, `firing`, or empty."""
        found = [each for each in self.evaluator.alerts() if (each["alertname"], each["severity"]) == (name, severity)]
        return str(found[0]["state"]) if found else ""

    def told(self) -> list[tuple[str, str, str]]:
        """(status, name, severity) of each notification."""
        return [
            (each.status, each.labels["alertname"], each.labels["severity"])
            for each in self.delivered
            if each.labels["alertname"] != "Watchdog"
        ]

    def _scrapes(self) -> list[Scrape]:
        return [Scrape(each, None if each in self.away else dict(counts)) for each, counts in self.values.items()]
