"""*Chaos*: what was done to the system, and what came of it?"""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models import dashboard as models

from observability import semconv
from observability.semconv import prometheus_label
from observability.stack.grafana import frame
from observability.stack.grafana.edges import ATTEMPTS, CALLS, EDGE_VARIABLES, LEGEND, ON_EDGE
from observability.stack.grafana.frame import Section, Variable
from observability.stack.grafana.panels import (
    BLUE,
    COUNT,
    EVENTS,
    GRAY,
    GREEN,
    ORANGE,
    PER_SECOND,
    RED,
    SECONDS,
    SHARE,
    Builder,
    Link,
    Look,
    Query,
    graph,
    number,
    states,
)
from observability.stack.grafana.promql import (
    BAD_HTTP,
    EDGE,
    EXPERIMENT,
    FAULT_KIND,
    SERVICE,
    busy,
    count_of,
    increase,
    quantile,
    rate,
    select,
    share,
    total,
)
from observability.stack.grafana.resilience import breakers

ARM: Final = prometheus_label(semconv.EXPERIMENT_ARM)
CHOSEN: Final = f'{EXPERIMENT}=~"$experiment"'
GATEWAY: Final = f'{SERVICE}="gateway"'
HTTP: Final = semconv.HTTP_SERVER_REQUEST_DURATION

VARIABLES: Final = (
    Variable(
        "experiment",
        "Experiment",
        "Whose faults are shown; `manual` are those set by hand.",
        EXPERIMENT,
        semconv.FAULTS_ACTIVE.prometheus_name,
    ),
    *EDGE_VARIABLES,
)


def build() -> models.Dashboard:
    """Experiments, faults active and touched, amplification, and what customers noticed."""
    return frame.dashboard(
        frame.CHAOS,
        "Chaos",
        "What was done to the system on purpose, did it take effect, and what did customers notice of it?",
        VARIABLES,
        [
            Section("What was done", _done()),
            Section("What came of it", _effects()),
            Section("What the policies made of it", [breakers(8)]),
        ],
    )


def _done() -> Sequence[Builder]:
    active, by_fault = select(semconv.FAULTS_ACTIVE, CHOSEN), f"{SERVICE}, {EXPERIMENT}, {FAULT_KIND}"
    return [
        number(
            "Faults in force",
            "How many faults are in force right now, in all replicas. Each ends by itself when its time is over.",
            Look(COUNT, 4, 7, steps=[(None, GREEN), (1, RED)]),
            Query(total("", active)),
        ),
        number(
            "Touched in this time",
            "Requests, units of work and processes that a fault has touched in the time shown. A fault that touched nothing "
            "has proven nothing.",
            Look(COUNT, 4, 7, steps=[(None, GRAY), (1, ORANGE)]),
            Query(total("", increase(semconv.FAULTS_TOUCHED, CHOSEN))),
        ),
        states(
            "Experiments, by the policies of the arm",
            "When an experiment ran. The same times are marked in every dashboard. A bar that ends without its rollback "
            "was killed: its faults end with their own time.",
            Look(COUNT, 16, 7),
            [(0, "", "transparent"), (1, "running", BLUE)],
            Query(
                f"max by ({EXPERIMENT}, {ARM}) ({select(semconv.EXPERIMENT_ACTIVE, CHOSEN)})",
                f"{{{{{EXPERIMENT}}}}} {{{{{ARM}}}}}",
            ),
        ),
        graph(
            "Faults in force, by service and kind",
            "Where the faults are, and of what kind. Set by hand they are called `manual`.",
            Look(COUNT, 12, stacked=True, no_value="no fault is in force"),
            Query(busy(total(by_fault, active)), f"{{{{service}}}}: {{{{{FAULT_KIND}}}}} ({{{{{EXPERIMENT}}}}})"),
        ),
        graph(
            "Touched, by service and kind",
            "How many requests a second each fault really touched: the proof that it took effect. Open a trace of that time to "
            "see the span that names it (`faultline.fault.id`).",
            Look(EVENTS, 12, stacked=True, no_value="no fault touched anything"),
            Query(
                busy(total(by_fault, rate(semconv.FAULTS_TOUCHED, CHOSEN))),
                f"{{{{service}}}}: {{{{{FAULT_KIND}}}}} ({{{{{EXPERIMENT}}}}})",
            ),
        ),
    ]


def _effects() -> Sequence[Builder]:
    outcome = prometheus_label(semconv.LOAD_OUTCOME)
    served = rate(count_of(HTTP), GATEWAY)
    return [
        graph(
            "Answered well, at the gateway",
            "Share of all answers that were no failure of ours. A hole as wide as the fault means that no policy helped.",
            Look(SHARE, 8, steps=[(None, RED), (0.99, GREEN)], lines=True, top=1),
            Query(f"1 - ({share('', rate(count_of(HTTP), GATEWAY, BAD_HTTP), served)})", "answered well"),
        ),
        graph(
            "Duration at the gateway (p99, p50)",
            "What customers waited. A point is one request: it leads to its trace.",
            Look(SECONDS, 8),
            Query(quantile(0.99, "", HTTP, GATEWAY), "p99", exemplars=True),
            Query(quantile(0.5, "", HTTP, GATEWAY), "p50"),
        ),
        graph(
            "Amplification",
            "Attempts per call, per edge: what a failure adds to the load of whoever fails. The budget keeps it below 1.2; "
            "three naive attempts at each of three levels make 27.",
            Look(COUNT, 8, steps=[(None, GREEN), (1.2, ORANGE)], lines=True),
            Query(f"{total(EDGE, rate(ATTEMPTS, *ON_EDGE))} / {total(EDGE, rate(count_of(CALLS), *ON_EDGE))}", LEGEND),
            links=[Link("Its attempts", frame.link_to(frame.EDGES, caller="${__field.labels.service}"))],
        ),
        graph(
            "Steady load, by what became of it",
            "The requests that `faultline up --load` sends all the time, as the sender saw them: `unanswered` and `not sent` "
            "cannot be seen from inside.",
            Look(PER_SECOND, 24, 7, stacked=True),
            Query(total(outcome, rate(semconv.LOAD_REQUESTS)), f"{{{{{outcome}}}}}"),
        ),
    ]
