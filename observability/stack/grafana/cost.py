"""*Cost of observing*: what does it cost to be seen, and is anything lost on the way?"""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models import dashboard as models

from observability import semconv
from observability.semconv import prometheus_label
from observability.stack.grafana import frame
from observability.stack.grafana.frame import Section, Variable
from observability.stack.grafana.panels import (
    BYTES,
    COUNT,
    EVENTS,
    GREEN,
    ORANGE,
    RED,
    SECONDS,
    SHARE,
    Builder,
    Look,
    Query,
    graph,
    number,
)
from observability.stack.grafana.promql import SERVICE, count_of, increase, rate, select, share, total

OURS: Final = 'job="faultline"'
CHOSEN: Final = f'{SERVICE}=~"$service"'
RESULT: Final = prometheus_label(semconv.TELEMETRY_RESULT)
BACKEND_RESULT: Final = prometheus_label(semconv.BACKEND_RESULT)
LOST: Final = f'{RESULT}=~"{semconv.SPANS_DROPPED}|{semconv.SPANS_FAILED}"'
EXPORTED: Final = f'{RESULT}="{semconv.SPANS_EXPORTED}"'

VARIABLES: Final = (Variable("service", "Service", "Whose telemetry is shown.", SERVICE, f"up{{{OURS}}}"),)


def build() -> models.Dashboard:
    """Spans, series, the exporters' queues, and what was dropped."""
    return frame.dashboard(
        frame.COST,
        "Cost of observing",
        "What does it cost to be seen, and is any of it lost before somebody can look at it?",
        VARIABLES,
        [
            Section("Traces, at the services that make them", _spans()),
            Section("Traces, at the backends that keep them", _backends()),
            Section("Metrics", _series()),
        ],
    )


def _spans() -> Sequence[Builder]:
    ended = rate(semconv.TELEMETRY_SPANS, CHOSEN)
    gateway = total("", rate(count_of(semconv.HTTP_SERVER_REQUEST_DURATION), f'{SERVICE}="gateway"'))
    return [
        number(
            "Spans lost in this time",
            "Spans that were dropped because the queue was full, or not taken by the collector. Requests never wait for "
            "telemetry: when it cannot follow, it is telemetry that is lost, and it is counted.",
            Look(COUNT, 6, 6, steps=[(None, GREEN), (1, RED)]),
            Query(total("", increase(semconv.TELEMETRY_SPANS, CHOSEN, LOST))),
        ),
        number(
            "Spans per request",
            "Spans exported by all services for each request at the gateway. It rises with retries, and with every new "
            "instrumentation.",
            Look(COUNT, 6, 6),
            Query(f"{total('', rate(semconv.TELEMETRY_SPANS, EXPORTED))} / {gateway}"),
        ),
        graph(
            "Spans, by what became of them",
            "`exported` reached the collector, `failed` were not taken by it, `dropped` found the queue full.",
            Look(EVENTS, 12, 6, stacked=True),
            Query(total(RESULT, ended), f"{{{{{RESULT}}}}}"),
        ),
        graph(
            "Share of spans lost",
            "Of what each service recorded. Above zero, traces have holes.",
            Look(SHARE, 8, steps=[(None, GREEN), (0.01, RED)], lines=True),
            Query(share(SERVICE, rate(semconv.TELEMETRY_SPANS, CHOSEN, LOST), ended), "{{service}}"),
        ),
        graph(
            "Exporter queue",
            "How full each service's queue of spans is that wait for their batch. At 100% the next span is dropped: the "
            "collector is away or too slow.",
            Look(SHARE, 8, steps=[(None, GREEN), (0.8, ORANGE)], lines=True),
            Query(
                f"max by ({SERVICE}) ({select(semconv.SPAN_QUEUE_SIZE, CHOSEN)} / "
                f"{select(semconv.SPAN_QUEUE_CAPACITY, CHOSEN)})",
                "{{service}}",
            ),
        ),
        graph(
            "Spans per second, by service",
            "Who makes how many. The callers of many peers make most: each attempt is a span of its own.",
            Look(EVENTS, 8),
            Query(total(SERVICE, ended), "{{service}}"),
        ),
    ]


def _backends() -> Sequence[Builder]:
    result = f"{{{{{BACKEND_RESULT}}}}}"
    return [
        graph(
            "Spans received",
            "By the embedded backend: `taken` are kept, `dropped` were forgotten to stay within bounds, `refused` had ids that "
            "are none; what it hands on to a Jaeger beside it is `sent on`. By Jaeger: `accepted` and `refused`.",
            Look(EVENTS, 12),
            Query(total(BACKEND_RESULT, rate(semconv.BACKEND_SPANS)), f"embedded: {result}"),
            Query(total("", rate(semconv.BACKEND_MALFORMED_EXPORTS)), "embedded: malformed requests"),
            Query(total(BACKEND_RESULT, rate(semconv.BACKEND_FORWARDED_SPANS)), f"sent on: {result}"),
            Query(total("", rate("otelcol_receiver_accepted_spans_total")), "Jaeger: accepted"),
            Query(total("", rate("otelcol_receiver_refused_spans_total")), "Jaeger: refused"),
        ),
        graph(
            "Kept",
            "Traces and spans that can be looked at in the embedded backend; both level off where it begins to forget. Of Jaeger "
            "the spans that it has stored since it began.",
            Look(COUNT, 6),
            Query(total("", select(semconv.BACKEND_STORED_SPANS)), "embedded: spans"),
            Query(total("", select(semconv.BACKEND_STORED_TRACES)), "embedded: traces"),
            Query(total("", "otelcol_exporter_sent_spans_total"), "Jaeger: spans"),
        ),
        graph(
            "Memory",
            "About what the embedded backend's spans take, up to a limit at which the oldest traces are forgotten, and what waits "
            "to be sent on; and Jaeger as a whole.",
            Look(BYTES, 6),
            Query(total("", select(semconv.BACKEND_STORED_BYTES)), "embedded: kept"),
            Query(total("", select(semconv.BACKEND_FORWARD_WAITING)), "embedded: waiting to be sent on"),
            Query(total("", "otelcol_process_memory_rss_bytes"), "Jaeger"),
        ),
        graph(
            "Cut, and lost for the next start",
            "By the embedded backend: spans that were taken without what was beyond the limits of one span; and, where a file "
            "keeps the traces over a restart, requests that could not be written to it, and spans that were read from it.",
            Look(EVENTS, 12, no_value="only the embedded backend tells this"),
            Query(total("", rate(semconv.BACKEND_CUT_SPANS)), "cut spans"),
            Query(total("", rate(semconv.BACKEND_FILE_LOST)), "requests not written"),
            Query(total("", rate(semconv.BACKEND_RESTORED_SPANS)), "restored spans"),
        ),
        graph(
            "The file of traces",
            "Its size, up to a limit at which what is oldest goes; and what could not be read of it at the start. Nothing where "
            "no file was asked for.",
            Look(BYTES, 12, no_value="only the embedded backend tells this"),
            Query(total("", select(semconv.BACKEND_FILE_BYTES)), "size"),
            Query(total("", select(semconv.BACKEND_FILE_CUT)), "unreadable"),
        ),
    ]


def _series() -> Sequence[Builder]:
    return [
        graph(
            "Series, by service",
            "Series that Prometheus takes from each service. Labels are bounded, so that it levels off; a line that rises "
            "with the traffic is a label without bounds.",
            Look(COUNT, 8),
            Query(total(SERVICE, select("scrape_samples_post_metric_relabeling", OURS, CHOSEN)), "{{service}}"),
        ),
        graph(
            "New series",
            "Series that Prometheus saw for the first time. After a start it should be quiet.",
            Look(COUNT, 8),
            Query(total(SERVICE, select("scrape_series_added", OURS, CHOSEN)), "{{service}}"),
        ),
        graph(
            "Duration of a scrape",
            "How long each service needs to tell its metrics; it does so in a thread of its own.",
            Look(SECONDS, 8),
            Query(f"max by ({SERVICE}) ({select('scrape_duration_seconds', OURS, CHOSEN)})", "{{service}}"),
        ),
    ]
