"""*Resilience*: what do the policies do about it?"""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models import dashboard as models

from observability import semconv
from observability.semconv import prometheus_label
from observability.stack.grafana import frame
from observability.stack.grafana.edges import EDGE_VARIABLES, LEGEND, OF_CALLER, ON_EDGE
from observability.stack.grafana.frame import Section
from observability.stack.grafana.panels import (
    BLUE,
    COUNT,
    EVENTS,
    GRAY,
    GREEN,
    ORANGE,
    PER_SECOND,
    RED,
    SHARE,
    YELLOW,
    Builder,
    Look,
    Query,
    graph,
    states,
)
from observability.stack.grafana.promql import EDGE, SERVICE, busy, first_of, rate, select, share, total

BREAKER: Final = prometheus_label(semconv.BREAKER_STATE)
BREAKER_STATES: Final = (
    (0, "disabled", GRAY),
    (1, "closed", GREEN),
    (2, "half_open", YELLOW),
    (3, "open", RED),
    (4, "forced_open", BLUE),
)
"""A breaker's states as numbers: of several replicas' the one that lets fewest calls pass is the greatest."""


def breaker_states() -> Query:
    """Of each edge the state as a number."""
    each = (
        f'{value} * ({select(semconv.BREAKER_STATES, *ON_EDGE, f"""{BREAKER}="{name}" """.strip())} == 1)'
        for value, name, _ in BREAKER_STATES
    )
    return Query(f"max by ({EDGE}) ({first_of(list(each))})", LEGEND)


def breakers(height: int = 9) -> Builder:
    """The timeline of all breakers."""
    return states(
        "Circuit breakers",
        "Green: calls pass. Red: they are refused at once, so that the peer can recover and the caller does not wait. Yellow: "
        "a few are let through to see whether it has. Grey: there is no breaker in force. Of replicas, the strictest.",
        Look(COUNT, 24, height),
        [(value, name.replace("_", " "), colour) for value, name, colour in BREAKER_STATES],
        breaker_states(),
    )


def build() -> models.Dashboard:
    """Breaker states, retries and budget, bulkheads, hedges, fallbacks and shed load."""
    return frame.dashboard(
        frame.RESILIENCE,
        "Resilience",
        "Something is failing: which policies act, on which edge, and do they help or have they run out?",
        EDGE_VARIABLES,
        [
            Section("Circuit breakers", _breakers()),
            Section("Retries and their budget", _retries()),
            Section("Bulkheads, hedges, fallbacks", _others()),
            Section("Load shedding at the servers", _shedding()),
        ],
    )


def _breakers() -> Sequence[Builder]:
    return [
        breakers(),
        graph(
            "Moves, by the state they came to",
            "A breaker that opens again and again finds its peer still ill each time it tries.",
            Look(EVENTS, 12, no_value="no breaker moved"),
            Query(
                busy(total(f"{EDGE}, {BREAKER}", rate(semconv.BREAKER_TRANSITIONS, *ON_EDGE))),
                f"{LEGEND} {{{{{BREAKER}}}}}",
            ),
        ),
        graph(
            "Attempts not let pass",
            "What an open breaker kept away from the peer.",
            Look(EVENTS, 12, no_value="every attempt was let pass"),
            Query(busy(total(EDGE, rate(semconv.BREAKER_REJECTIONS, *ON_EDGE))), LEGEND),
        ),
    ]


def _retries() -> Sequence[Builder]:
    outcome, stopped, result = (
        prometheus_label(each) for each in (semconv.OUTCOME, semconv.RETRY_STOPPED_BY, semconv.BUDGET_RESULT)
    )
    asked = rate(semconv.RETRY_BUDGET_WITHDRAWALS, *ON_EDGE)
    refused = rate(semconv.RETRY_BUDGET_WITHDRAWALS, *ON_EDGE, f'{result}="refused"')
    return [
        graph(
            "Attempts beyond the first, by outcome",
            "Retries and hedges that were made. `success` are calls that they saved.",
            Look(EVENTS, 6, stacked=True),
            Query(total(outcome, rate(semconv.RETRIES, *ON_EDGE)), f"{{{{{outcome}}}}}"),
        ),
        graph(
            "Failed calls not made again, by why",
            "`budget`: too many retries already, another would make it worse. `unsafe`: it may have taken effect. "
            "`retried`: whoever is closer to the failure has done it.",
            Look(EVENTS, 6, stacked=True),
            Query(total(stopped, rate(semconv.RETRIES_STOPPED, *ON_EDGE)), f"{{{{{stopped}}}}}"),
        ),
        graph(
            "Budget left",
            "Attempts beyond the first that each edge may still make, as it was when last asked. It fills with live traffic: "
            "at zero, failures are passed on at once.",
            Look(COUNT, 6),
            Query(f"min by ({EDGE}) ({select(semconv.RETRY_BUDGET_BALANCE, *ON_EDGE)})", LEGEND),
        ),
        graph(
            "Refused by the budget",
            "Share of the attempts asked for that the budget refused. It rises when a failure is no longer an exception.",
            Look(SHARE, 6, steps=[(None, GREEN), (0.5, ORANGE)], lines=True, top=1),
            Query(share(EDGE, refused, asked), LEGEND),
        ),
    ]


def _others() -> Sequence[Builder]:
    hedge, fallback = (prometheus_label(each) for each in (semconv.HEDGE_RESULT, semconv.FALLBACK_RESULT))
    return [
        graph(
            "Bulkheads: at the peer, and waiting",
            "Attempts that each caller has at a peer at once, and those that wait for room. A slow peer fills it, and no "
            "other.",
            Look(COUNT),
            Query(total(EDGE, select(semconv.BULKHEAD_IN_FLIGHT, *ON_EDGE)), f"{LEGEND} at the peer"),
            Query(total(SERVICE, select(semconv.BULKHEAD_QUEUED, *ON_EDGE)), "{{service}} waiting"),
            Query(total(SERVICE, rate(semconv.BULKHEAD_REJECTIONS, *ON_EDGE)), "{{service}} refused per second"),
        ),
        graph(
            "Hedges, by what became of them",
            "Second attempts beside a slow first one. `won`: it answered first, and the customer did not wait; mostly `lost` "
            "is load for nothing.",
            Look(EVENTS, stacked=True, no_value="nothing was hedged"),
            Query(busy(total(f"{EDGE}, {hedge}", rate(semconv.HEDGES, *ON_EDGE))), f"{LEGEND} {{{{{hedge}}}}}"),
        ),
        graph(
            "Fallbacks",
            "Calls without an answer for which another was found (`served`: older, or kept for later, and it says so), and "
            "those for which there was none (`missing`).",
            Look(EVENTS, stacked=True, no_value="no fallback was asked"),
            Query(
                busy(total(f"{EDGE}, {fallback}", rate(semconv.FALLBACKS, *ON_EDGE))), f"{LEGEND} {{{{{fallback}}}}}"
            ),
        ),
    ]


def _shedding() -> Sequence[Builder]:
    return [
        graph(
            "Requests refused",
            "What each server turned away before it began with it, because it has all that it can do. Better a quick no than "
            "a late answer for everybody.",
            Look(PER_SECOND, 12),
            Query(total(SERVICE, rate(semconv.SERVER_SHED, *OF_CALLER)), "{{service}}"),
        ),
        graph(
            "In flight, and the limit",
            "Requests that each server serves at once, and the most that it takes in, which it learns from its own latency.",
            Look(COUNT, 12),
            Query(total(SERVICE, select(semconv.SERVER_SERVED, *OF_CALLER)), "{{service}} in flight"),
            Query(total(SERVICE, select(semconv.SERVER_LIMITS, *OF_CALLER)), "{{service}} limit"),
        ),
    ]
