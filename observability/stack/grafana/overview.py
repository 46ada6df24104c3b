"""*Overview*: is the shop well, and if not, who is the first that is not?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from grafana_foundation_sdk.models import dashboard as models

from observability import semconv
from observability.stack import objectives
from observability.stack.grafana import frame
from observability.stack.grafana.frame import Section, Variable
from observability.stack.grafana.panels import (
    BYTES,
    COUNT,
    EVENTS,
    GREEN,
    ORANGE,
    PER_SECOND,
    RED,
    SECONDS,
    SHARE,
    WIDTH,
    Builder,
    Link,
    Look,
    Query,
    graph,
    number,
    rows,
    states,
)
from observability.stack.grafana.promql import (
    BAD_HTTP,
    BAD_RPC,
    INSTANCE,
    SERVICE,
    count_of,
    quantile,
    rate,
    select,
    share,
    total,
)
from observability.stack.indicators import indicators
from observability.stack.objectives import Aspect, Latency
from observability.stack.prometheus.promql import error_ratio

HTTP: Final = semconv.HTTP_SERVER_REQUEST_DURATION
RPC: Final = semconv.RPC_SERVER_CALL_DURATION
OURS: Final = 'job="faultline"'
CHOSEN: Final = f'{SERVICE}=~"$service"'
BUDGET_LEFT: Final = "faultline:slo_error_budget_remaining:ratio"
RESULT: Final = semconv.prometheus_label(semconv.ALERTS_RESULT)
BURN_RATE: Final = "faultline:slo_burn_rate:ratio"

VARIABLES: Final = (Variable("service", "Service", "Whose golden signals are shown.", SERVICE, f"up{{{OURS}}}"),)
TO_ALL_EDGES: Final = (Link("Who calls whom", frame.link_to(frame.EDGES)),)
TO_EDGES: Final = (Link("Its calls to others", frame.link_to(frame.EDGES, caller="${__field.labels.service}")),)


def build() -> models.Dashboard:
    """Golden signals per service, objectives and budget."""
    return frame.dashboard(
        frame.OVERVIEW,
        "Overview",
        "Is the shop well for its customers, and if not, which service is the first that is not?",
        VARIABLES,
        _sections(),
    )


def _sections() -> Iterable[Section]:
    yield Section("What customers see", list(_journeys()))
    yield Section("Objectives and their budgets", _budgets())
    yield Section("Golden signals of each service", _signals())
    yield Section("Orders", _orders())
    yield Section("At the door, and behind it", _processes())


MEANING: Final[Mapping[Aspect, tuple[str, str]]] = {
    "availability": (
        "answered well",
        "Share of requests that were served, or refused for what they asked for themselves.",
    ),
    "latency": ("in time", "Share of requests that were answered in time, whatever the answer."),
    "pending": (
        "settled at once",
        "Share of requests that were settled at once; the others were kept (202), to be finished later.",
    ),
    "degraded": (
        "up to date",
        "Share of requests that were answered from what is known now, and not from what a fallback remembers.",
    ),
}
"""What an objective's share of good requests is called, and what it means."""


def _journeys() -> Iterator[Builder]:
    """Of each objective how well it is met."""
    found = indicators(objectives.load())
    for each in found:
        goal, (name, said) = each.goal, MEANING[each.aspect]
        within = f"within {goal.threshold_s * 1000:g} ms" if isinstance(goal, Latency) else name
        steps = [(None, RED), (round(1 - 2 * goal.budget, 6), ORANGE), (goal.target, GREEN)]
        yield number(
            f"{each.journey}: {within}",
            f"{said} The objective is {goal.target:.4g}; orange is up to twice what it allows to be bad.",
            Look(SHARE, WIDTH // len(found), 5, steps=steps, no_value="no requests"),
            Query(f"1 - {error_ratio(each, '$__rate_interval')}"),
            links=TO_ALL_EDGES,
        )


def _budgets() -> list[Builder]:
    burns = sorted({each.burn_rate: each.severity for each in objectives.load_all().burn_rates}.items())
    colours = {"ticket": ORANGE, "page": RED}
    return [
        graph(
            "Error budget left",
            "What is left of the bad requests that each objective allows for its whole period. Below zero the objective is "
            "missed: no more experiments, until it recovers.",
            Look(SHARE, 6, steps=[(None, RED), (0.0, ORANGE), (0.25, GREEN)], lines=True, signed=True),
            Query(f"max by (slo) ({BUDGET_LEFT})", "{{slo}}"),
        ),
        graph(
            "Burn rate",
            "How fast the budget is spent: at 1 it lasts for exactly the period. The lines are where alerts begin: orange for "
            "a ticket, red for a page.",
            Look(
                COUNT, 6, steps=[(None, GREEN), *((rate_, colours[severity]) for rate_, severity in burns)], lines=True
            ),
            Query(f"max by (slo) ({BURN_RATE})", "{{slo}}"),
        ),
        states(
            "Alerts that fire",
            "Each with a page of its own that says what to do (`docs/runbooks`). None is shown while all is well.",
            Look(COUNT, 6, no_value="none"),
            [(1, "firing", RED)],
            Query(
                'max by (alertname, severity, slo, service) (ALERTS{alertstate="firing", alertname!="Watchdog"})',
                "{{alertname}} {{severity}} {{service}}",
            ),
        ),
        graph(
            "Notifications",
            "What Alertmanager delivers to the system's own receiver: a group that fires, and again at every change until it is "
            "resolved. `unauthorized` came without the token.",
            Look(EVENTS, 6, stacked=True),
            Query(total(RESULT, rate(semconv.ALERTS_NOTIFICATIONS)), f"{{{{{RESULT}}}}}"),
        ),
    ]


def _signals() -> list[Builder]:
    return [
        graph(
            "Traffic",
            "Requests that each service answers per second, over HTTP and gRPC. A line that falls to zero is an outage "
            "in front of the service, or no load at all.",
            Look(PER_SECOND, 12),
            Query(total(SERVICE, rate(count_of(HTTP), CHOSEN)), "{{service}} HTTP"),
            Query(total(SERVICE, rate(count_of(RPC), CHOSEN)), "{{service}} gRPC"),
            links=TO_EDGES,
        ),
        graph(
            "Errors",
            "Share of answers that are the service's own fault: 5xx, timeouts and refusals for want of room; in gRPC their "
            "like. The callee nearest to the cause rises first. A declined payment is no error.",
            Look(SHARE, 12, steps=[(None, GREEN), (0.01, RED)], lines=True),
            Query(
                share(SERVICE, rate(count_of(HTTP), CHOSEN, BAD_HTTP), rate(count_of(HTTP), CHOSEN)), "{{service}} HTTP"
            ),
            Query(
                share(SERVICE, rate(count_of(RPC), CHOSEN, BAD_RPC), rate(count_of(RPC), CHOSEN)), "{{service}} gRPC"
            ),
            links=TO_EDGES,
        ),
        graph(
            "Duration (p99, p50)",
            "How long the slowest hundredth and the typical request took, failed ones included. A point is one request: "
            "it leads to its trace.",
            Look(SECONDS, 12),
            *(
                Query(quantile(q, SERVICE, metric, CHOSEN), f"{{{{service}}}} {kind} p{q * 100:g}", exemplars=q == 0.99)
                for q in (0.99, 0.5)
                for metric, kind in ((HTTP, "HTTP"), (RPC, "gRPC"))
            ),
            links=TO_EDGES,
        ),
        graph(
            "Saturation",
            "How much of the requests that a service takes in at once are under way; at 100% the next one is refused.",
            Look(SHARE, 6, steps=[(None, GREEN), (0.8, ORANGE)], lines=True),
            Query(
                f"max by ({SERVICE}) ({select(semconv.SERVER_SERVED, CHOSEN)} / {select(semconv.SERVER_LIMITS, CHOSEN)})",
                "{{service}}",
            ),
            links=[Link("What it refuses", frame.link_to(frame.RESILIENCE))],
        ),
        graph(
            "Event loop lag",
            "How late the service's only thread came to what was due. Above some ten milliseconds everything in the "
            "process waits; above a second it is blocked.",
            Look(SECONDS, 6, steps=[(None, GREEN), (0.1, ORANGE)], lines=True),
            Query(f"max by ({SERVICE}) ({select(semconv.EVENT_LOOP_LAG, CHOSEN)})", "{{service}}"),
        ),
    ]


def _orders() -> list[Builder]:
    outcome, recovery = (
        semconv.prometheus_label(each) for each in (semconv.CHECKOUT_OUTCOME, semconv.RECOVERY_OUTCOME)
    )
    return [
        graph(
            "Checkouts, by how they ended",
            "`pending` was accepted and is finished later; `failed` is the only one that a customer should never see.",
            Look(EVENTS, 12, stacked=True),
            Query(total(outcome, rate(semconv.CHECKOUTS)), f"{{{{{outcome}}}}}"),
        ),
        graph(
            "Orders finished later",
            "Attempts of the recovery loop to carry on an order that nobody drives any more. It works after an outage; "
            "`blind` says that the database did not tell what is due.",
            Look(EVENTS, 6, stacked=True),
            Query(total(recovery, rate(semconv.RECOVERIES)), f"{{{{{recovery}}}}}"),
        ),
        graph(
            "Reservations given back",
            "Goods that were held for an order that neither bought nor renewed them in time.",
            Look(EVENTS, 6),
            Query(total("", rate(semconv.RESERVATIONS_EXPIRED)), "expired"),
        ),
    ]


def _processes() -> list[Builder]:
    cut = semconv.prometheus_label(semconv.CONNECTION_CUT)
    return [
        graph(
            "Connections and requests at the door",
            "Open HTTP connections, idle ones included, and the requests under way on them.",
            Look(COUNT, 6),
            Query(total(SERVICE, select(semconv.HTTP_SERVER_CONNECTIONS, CHOSEN)), "{{service}} connections"),
            Query(total(SERVICE, select(semconv.HTTP_SERVER_ACTIVE_REQUESTS, CHOSEN)), "{{service}} requests"),
        ),
        graph(
            "Turned away at the door",
            "Connections cut without an answer, by why (too many, silent, unfinished), and requests whose foreign baggage "
            "was taken from them.",
            Look(EVENTS, 6),
            Query(
                total(f"{SERVICE}, {cut}", rate(semconv.HTTP_SERVER_CONNECTIONS_CUT, CHOSEN)),
                f"{{{{service}}}} {{{{{cut}}}}}",
            ),
            Query(total("", rate(semconv.BAGGAGE_STRIPPED)), "baggage stripped"),
        ),
        graph(
            "CPU",
            "Cores that each process keeps busy; one is the most that a service can use.",
            Look(COUNT, 6, steps=[(None, GREEN), (0.9, ORANGE)], lines=True),
            Query(f"max by ({SERVICE}) ({rate('process_cpu_seconds_total', OURS, CHOSEN)})", "{{service}}"),
        ),
        graph(
            "Memory",
            "Resident memory of each process. A line that only rises is a leak.",
            Look(BYTES, 6),
            Query(f"max by ({SERVICE}) ({select('process_resident_memory_bytes', OURS, CHOSEN)})", "{{service}}"),
        ),
        rows(
            "What runs",
            "Every process that tells of itself, and its version. One that is missing here is down.",
            Look(COUNT, 24, 7),
            Query(select(semconv.BUILD_INFO, CHOSEN)),
            [
                (SERVICE, "Service"),
                (INSTANCE, "Instance"),
                (semconv.prometheus_label(semconv.SERVICE_VERSION), "Version"),
                (semconv.prometheus_label(semconv.PROCESS_RUNTIME_VERSION), "Python"),
            ],
        ),
    ]
