"""*Edges*: which call is slow or fails, and how often is it really made?"""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models import dashboard as models

from observability import semconv
from observability.stack.grafana import frame
from observability.stack.grafana.frame import Section, Variable
from observability.stack.grafana.panels import (
    COUNT,
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
)
from observability.stack.grafana.promql import (
    BAD_CALL,
    CALLEE,
    EDGE,
    OPERATION,
    OUTCOME,
    SERVICE,
    count_of,
    quantile,
    rate,
    select,
    share,
    total,
)

CALLS: Final = semconv.CALL_DURATION
ATTEMPTS: Final = semconv.CALL_ATTEMPTS
POOL: Final = semconv.prometheus_label(semconv.DB_CLIENT_CONNECTION_POOL_NAME)
POOL_STATE: Final = semconv.prometheus_label(semconv.DB_CLIENT_CONNECTION_STATE)
UNIT_OF_WORK: Final = semconv.prometheus_label(semconv.DB_OPERATION_NAME)

ON_EDGE: Final = (f'{SERVICE}=~"$caller"', f'{CALLEE}=~"$callee"')
OF_CALLER: Final = (f'{SERVICE}=~"$caller"',)
LEGEND: Final = f"{{{{service}}}} → {{{{{CALLEE}}}}}"

EDGE_VARIABLES: Final = (
    Variable("caller", "Caller", "Whose calls are shown.", SERVICE, ATTEMPTS.prometheus_name),
    Variable("callee", "Callee", "Whom they go to.", CALLEE, f'{ATTEMPTS.prometheus_name}{{{SERVICE}=~"$caller"}}'),
)
TO_RESILIENCE: Final = (
    Link(
        "What its policies do",
        frame.link_to(frame.RESILIENCE, caller="${__field.labels.service}", callee=f"${{__field.labels.{CALLEE}}}"),
    ),
)


def build() -> models.Dashboard:
    """Rate, errors, duration and attempts of every call between services and to databases."""
    return frame.dashboard(
        frame.EDGES,
        "Edges",
        "Which call from whom to whom is slow or fails, and how many attempts does one call take?",
        EDGE_VARIABLES,
        [
            Section("Calls: what the caller's code asked for, all attempts and waits included", _calls()),
            Section("Attempts: what went over the wire", _attempts()),
            Section("Databases", _databases()),
        ],
    )


def _calls() -> Sequence[Builder]:
    made = rate(count_of(CALLS), *ON_EDGE)
    return [
        graph(
            "Rate",
            "Logical calls per second, per edge. A breaker that is open does not lower it: the calls are refused here.",
            Look(PER_SECOND),
            Query(total(EDGE, made), LEGEND),
            links=TO_RESILIENCE,
        ),
        graph(
            "Errors",
            "Share of calls that ended without an answer: failed, refused by the peer for want of room, or rejected by a "
            "policy of the caller. A call that a fallback answered is `degraded`, and not counted here.",
            Look(SHARE, steps=[(None, GREEN), (0.01, RED)], lines=True),
            Query(share(EDGE, rate(count_of(CALLS), *ON_EDGE, BAD_CALL), made), LEGEND),
            links=TO_RESILIENCE,
        ),
        graph(
            "Duration (p99, p50)",
            "How long a call takes its caller, retries and waits included. A point is one call: it leads to its trace.",
            Look(SECONDS),
            Query(quantile(0.99, EDGE, CALLS, *ON_EDGE), f"{LEGEND} p99", exemplars=True),
            Query(quantile(0.5, EDGE, CALLS, *ON_EDGE), f"{LEGEND} p50"),
            links=TO_RESILIENCE,
        ),
        graph(
            "Calls, by outcome",
            "What became of the calls that are chosen above. `rejected` never left the caller; `degraded` was answered by a "
            "fallback.",
            Look(PER_SECOND, 12, stacked=True),
            Query(total(OUTCOME, made), f"{{{{{OUTCOME}}}}}"),
        ),
        graph(
            "Slowest operations (p95)",
            "The operations that take their callers longest.",
            Look(SECONDS, 12),
            Query(
                f"topk(10, {quantile(0.95, f'{EDGE}, {OPERATION}', CALLS, *ON_EDGE)})", f"{LEGEND} {{{{{OPERATION}}}}}"
            ),
        ),
    ]


def _attempts() -> Sequence[Builder]:
    return [
        graph(
            "Attempts per call",
            "1 when every call is made once; the retry budget keeps it below 1.2. Below 1 calls are refused before any "
            "attempt. Naive retries at every level of a chain multiply.",
            Look(COUNT, steps=[(None, GREEN), (1.2, ORANGE)], lines=True),
            Query(f"{total(EDGE, rate(ATTEMPTS, *ON_EDGE))} / {total(EDGE, rate(count_of(CALLS), *ON_EDGE))}", LEGEND),
            links=TO_RESILIENCE,
        ),
        graph(
            "Attempts, by outcome",
            "What became of single attempts. Failures here that are no errors of calls were saved by a retry or a hedge.",
            Look(PER_SECOND, stacked=True),
            Query(total(OUTCOME, rate(ATTEMPTS, *ON_EDGE)), f"{{{{{OUTCOME}}}}}"),
        ),
        graph(
            "Duration of attempts (p99)",
            "How long single attempts took, over HTTP and gRPC. Where it is far below the call's, the time went into "
            "waits and repetitions.",
            Look(SECONDS),
            *(
                Query(quantile(0.99, EDGE, metric, *ON_EDGE), f"{LEGEND} {kind}", exemplars=True)
                for metric, kind in (
                    (semconv.HTTP_CLIENT_REQUEST_DURATION, "HTTP"),
                    (semconv.RPC_CLIENT_CALL_DURATION, "gRPC"),
                )
            ),
        ),
    ]


def _databases() -> Sequence[Builder]:
    used = f'{POOL_STATE}="{semconv.CONNECTION_USED}"'
    return [
        graph(
            "Units of work (p95)",
            "How long transactions take, their commit included.",
            Look(SECONDS),
            Query(
                quantile(0.95, f"{SERVICE}, {UNIT_OF_WORK}", semconv.DB_CLIENT_OPERATION_DURATION, *OF_CALLER),
                f"{{{{service}}}} {{{{{UNIT_OF_WORK}}}}}",
                exemplars=True,
            ),
        ),
        graph(
            "Pool in use",
            "Share of the connections to the database that are taken. At 100% the next unit of work waits.",
            Look(SHARE, steps=[(None, GREEN), (0.8, ORANGE)], lines=True, top=1),
            Query(
                f"{total(f'{SERVICE}, {POOL}', select(semconv.DB_CLIENT_CONNECTION_COUNT, *OF_CALLER, used))} / "
                f"{total(f'{SERVICE}, {POOL}', select(semconv.DB_CLIENT_CONNECTION_MAX, *OF_CALLER))}",
                f"{{{{service}}}} {{{{{POOL}}}}}",
            ),
        ),
        graph(
            "Waiting for a connection",
            "Units of work that wait right now, and per second those that waited in vain.",
            Look(COUNT),
            Query(
                total(SERVICE, select(semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS, *OF_CALLER)), "{{service}} waiting"
            ),
            Query(total(SERVICE, rate(semconv.DB_CLIENT_CONNECTION_TIMEOUTS, *OF_CALLER)), "{{service}} in vain"),
        ),
        graph(
            "Time to get a connection (p95)",
            "How long units of work waited for a connection. It rises before the pool is empty for good.",
            Look(SECONDS, 12),
            Query(quantile(0.95, SERVICE, semconv.DB_CLIENT_CONNECTION_WAIT_TIME, *OF_CALLER), "{{service}}"),
        ),
        graph(
            "Time a connection is held (p95)",
            "How long a connection is taken at a time; with the pool's size it bounds what the database can be asked for.",
            Look(SECONDS, 12),
            Query(quantile(0.95, SERVICE, semconv.DB_CLIENT_CONNECTION_USE_TIME, *OF_CALLER), "{{service}}"),
        ),
    ]
