"""Every name that telemetry uses: attributes, events, headers and metrics.

Attribute names come from OpenTelemetry's package where it has them; `faultline.*` names are our own.
Metrics are declared once here, in OpenTelemetry's terms (dotted names, UCUM units); their Prometheus names follow from
OpenTelemetry's rules: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry.semconv._incubating.attributes import db_attributes as _db_pool
from opentelemetry.semconv._incubating.attributes import process_attributes as _process
from opentelemetry.semconv._incubating.attributes import rpc_attributes as _rpc
from opentelemetry.semconv._incubating.attributes import user_attributes as _user
from opentelemetry.semconv._incubating.metrics import db_metrics as _db_pool_metrics
from opentelemetry.semconv._incubating.metrics import http_metrics as _http_metrics
from opentelemetry.semconv._incubating.metrics import rpc_metrics as _rpc_metrics
from opentelemetry.semconv.attributes import db_attributes as _db
from opentelemetry.semconv.attributes import error_attributes as _error
from opentelemetry.semconv.attributes import exception_attributes as _exception
from opentelemetry.semconv.attributes import http_attributes as _http
from opentelemetry.semconv.attributes import server_attributes as _server
from opentelemetry.semconv.attributes import service_attributes as _service
from opentelemetry.semconv.attributes import telemetry_attributes as _telemetry
from opentelemetry.semconv.attributes import url_attributes as _url
from opentelemetry.semconv.metrics import db_metrics as _db_metrics

# --- attributes: OpenTelemetry's -------------------------------------------------------------------------------------

SERVICE_NAME: Final = _service.SERVICE_NAME
SERVICE_VERSION: Final = _service.SERVICE_VERSION
SERVICE_INSTANCE_ID: Final = _service.SERVICE_INSTANCE_ID
TELEMETRY_SDK_NAME: Final = _telemetry.TELEMETRY_SDK_NAME
TELEMETRY_SDK_LANGUAGE: Final = _telemetry.TELEMETRY_SDK_LANGUAGE
TELEMETRY_SDK_VERSION: Final = _telemetry.TELEMETRY_SDK_VERSION
PROCESS_RUNTIME_VERSION: Final = _process.PROCESS_RUNTIME_VERSION

HTTP_REQUEST_METHOD: Final = _http.HTTP_REQUEST_METHOD
HTTP_REQUEST_RESEND_COUNT: Final = _http.HTTP_REQUEST_RESEND_COUNT
HTTP_RESPONSE_STATUS_CODE: Final = _http.HTTP_RESPONSE_STATUS_CODE
HTTP_ROUTE: Final = _http.HTTP_ROUTE
URL_FULL: Final = _url.URL_FULL
URL_PATH: Final = _url.URL_PATH
URL_SCHEME: Final = _url.URL_SCHEME
SERVER_ADDRESS: Final = _server.SERVER_ADDRESS
SERVER_PORT: Final = _server.SERVER_PORT

RPC_SYSTEM_NAME: Final = _rpc.RPC_SYSTEM_NAME
RPC_METHOD: Final = _rpc.RPC_METHOD  # the full name: `faultline.payments.v1.Payments/Authorize`
RPC_RESPONSE_STATUS_CODE: Final = _rpc.RPC_RESPONSE_STATUS_CODE  # the name of the code: `UNAVAILABLE`
RPC_SYSTEM_GRPC: Final = _rpc.RpcSystemNameValues.GRPC.value

DB_SYSTEM_NAME: Final = _db.DB_SYSTEM_NAME
DB_OPERATION_NAME: Final = _db.DB_OPERATION_NAME  # our name for the unit of work: `save_order`
DB_CLIENT_CONNECTION_POOL_NAME: Final = _db_pool.DB_CLIENT_CONNECTION_POOL_NAME  # our name for the database
DB_CLIENT_CONNECTION_STATE: Final = _db_pool.DB_CLIENT_CONNECTION_STATE
CONNECTION_IDLE: Final = _db_pool.DbClientConnectionStateValues.IDLE.value
CONNECTION_USED: Final = _db_pool.DbClientConnectionStateValues.USED.value

ERROR_TYPE: Final = _error.ERROR_TYPE
EXCEPTION_TYPE: Final = _exception.EXCEPTION_TYPE
EXCEPTION_MESSAGE: Final = _exception.EXCEPTION_MESSAGE
EXCEPTION_STACKTRACE: Final = _exception.EXCEPTION_STACKTRACE
USER_ID: Final = _user.USER_ID

# --- attributes: our own ---------------------------------------------------------------------------------------------

CALLER: Final = "faultline.caller"
CALLEE: Final = "faultline.callee"
OPERATION: Final = "faultline.operation"
OUTCOME: Final = "faultline.outcome"
IDEMPOTENT: Final = "faultline.idempotent"  # may the call be made again without harm?
ATTEMPT: Final = "faultline.attempt"  # 1 for the first; on spans only, never a label
RETRY_STOPPED_BY: Final = "faultline.retry.stopped_by"
BUDGET_RESULT: Final = "faultline.retry_budget.result"
BREAKER_STATE: Final = "faultline.circuit_breaker.state"
BREAKER_OLD_STATE: Final = "faultline.circuit_breaker.old_state"
HEDGE_RESULT: Final = "faultline.hedge.result"
FALLBACK_RESULT: Final = "faultline.fallback.result"
DELAY_MS: Final = "faultline.delay_ms"
LOAD_IN_FLIGHT: Final = "faultline.load.in_flight"
LOAD_LIMIT: Final = "faultline.load.limit"
CLIENT_ID: Final = "faultline.client.id"
ORDER_ID: Final = "faultline.order.id"
ORDER_STATE: Final = "faultline.order.state"
CHECKOUT_OUTCOME: Final = "faultline.checkout.outcome"
CHECKOUT_STEP: Final = "faultline.checkout.step"
CHECKOUT_TURNED_BY: Final = "faultline.checkout.turned_by"  # a slug of the error catalogue, or `cancelled`
RECOVERY_OUTCOME: Final = "faultline.recovery.outcome"
RECOVERY_FAILURES: Final = "faultline.recovery.failures"  # drives in a row that came no further
DEADLINE_REMAINING_MS: Final = "faultline.deadline.remaining_ms"
PROBLEM: Final = "faultline.problem"  # a slug of the error catalogue
FAULT_ID: Final = "faultline.fault.id"  # on spans and logs only, never a label
FAULT_KIND: Final = "faultline.fault.kind"
EXPERIMENT: Final = "faultline.experiment"
TELEMETRY_RESULT: Final = "faultline.telemetry.result"
CONNECTION_CUT: Final = "faultline.connection.cut"  # why a connection was ended without an answer
LOAD_OUTCOME: Final = "faultline.load.outcome"  # the class: success, degraded, refused, failed, unanswered, not_sent

# --- values of bounded attributes, so that counters can exist at 0 ---------------------------------------------------

CHECKOUT_OUTCOMES: Final = (
    "confirmed",
    "declined",
    "out_of_stock",
    "unknown_product",
    "cancelled",
    "given_up",
    "pending",
    "failed",
)
RECOVERY_ELSEWHERE: Final = "elsewhere"  # somebody else was quicker
RECOVERY_BLIND: Final = "blind"  # the store did not say what is due
RECOVERY_OUTCOMES: Final = (
    "confirmed",
    "rejected",
    "cancelled",
    "pending",
    "failed",
    RECOVERY_ELSEWHERE,
    RECOVERY_BLIND,
)
BUDGET_RESULTS: Final = ("granted", "refused")
CUT_CROWDED: Final = "crowded"  # far more are open than are served
CUT_SILENT: Final = "silent"  # nothing was ever asked on it
CUT_UNFINISHED: Final = "unfinished"  # the rest of a body did not come to an end after its request was answered
CONNECTION_CUTS: Final = (CUT_CROWDED, CUT_SILENT, CUT_UNFINISHED)
FALLBACK_RESULTS: Final = ("served", "missing")
SPANS_EXPORTED: Final = "exported"
SPANS_DROPPED: Final = "dropped"  # the queue was full, or telemetry had stopped
SPANS_FAILED: Final = "failed"  # the collector did not take them
TELEMETRY_RESULTS: Final = (SPANS_EXPORTED, SPANS_DROPPED, SPANS_FAILED)

# --- span events -----------------------------------------------------------------------------------------------------

EVENT_ATTEMPT_TIMEOUT: Final = "faultline.attempt.timeout"
EVENT_DEADLINE_EXCEEDED: Final = "faultline.deadline.exceeded"  # spent while the work was in flight
EVENT_DEADLINE_REFUSED: Final = "faultline.deadline.refused"  # already spent, so the work never started
EVENT_RETRY: Final = "faultline.retry"  # another attempt will be made
EVENT_RETRY_STOPPED: Final = "faultline.retry.stopped"  # none will, though the outcome would allow it
EVENT_BUDGET_EXHAUSTED: Final = "faultline.retry_budget.exhausted"
EVENT_HEDGE: Final = "faultline.hedge"  # a second attempt is made beside the first
EVENT_HEDGE_ENDED: Final = "faultline.hedge.ended"
EVENT_BREAKER: Final = "faultline.circuit_breaker.transition"
EVENT_BREAKER_REJECTED: Final = "faultline.circuit_breaker.rejected"
EVENT_BULKHEAD_QUEUED: Final = "faultline.bulkhead.queued"
EVENT_BULKHEAD_REJECTED: Final = "faultline.bulkhead.rejected"
EVENT_FALLBACK: Final = "faultline.fallback"  # there was no answer; a fallback was asked for one
EVENT_FAULT_INJECTED: Final = "faultline.fault.injected"
EVENT_LOAD_SHED: Final = "faultline.load.shed"  # a server refused a request before it began with it
EVENT_CHECKOUT_STEP: Final = "faultline.checkout.step"
EVENT_CHECKOUT_TURNED: Final = "faultline.checkout.turned"  # the order is cancelled, or given up

# --- fields of log lines and exemplars -------------------------------------------------------------------------------

TRACE_ID: Final = "trace_id"
SPAN_ID: Final = "span_id"

# --- headers, and in lower case gRPC metadata ------------------------------------------------------------------------

HEADER_TRACEPARENT: Final = "traceparent"
HEADER_TRACESTATE: Final = "tracestate"
HEADER_BAGGAGE: Final = "baggage"
HEADER_TRACE_ID: Final = "X-Trace-Id"
HEADER_REQUEST_TIMEOUT_MS: Final = "X-Request-Timeout-Ms"
HEADER_GRPC_TIMEOUT: Final = "grpc-timeout"
HEADER_API_KEY: Final = "X-API-Key"
HEADER_IDEMPOTENCY_KEY: Final = "Idempotency-Key"

# --- metrics ---------------------------------------------------------------------------------------------------------

Kind = Literal["histogram", "counter", "gauge"]

_UNIT_SUFFIXES: Final = {"s": "seconds", "ms": "milliseconds", "By": "bytes"}


def prometheus_label(attribute: str) -> str:
    """`http.route` -> `http_route`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", attribute)


@dataclass(frozen=True)
class Metric:
    """One metric in OpenTelemetry's terms.

    `name` is dotted, `unit` is UCUM (`s`, `By`, `{call}`, or empty), `labels` are dotted attribute names in the order in
    which values are given, `buckets` are upper bounds in `unit`.
    """

    name: str
    unit: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] | None = None

    @property
    def unit_suffix(self) -> str:
        """The unit as Prometheus spells it; empty for annotations such as `{call}`."""
        return _UNIT_SUFFIXES.get(self.unit, "")

    @property
    def prometheus_name(self) -> str:
        """`http.server.request.duration` in `s` -> `http_server_request_duration_seconds`; counters end in `_total`."""
        name = re.sub(r"_+", "_", re.sub(r"[^a-zA-Z0-9:]", "_", self.name))
        unit, total = self.unit_suffix, "total" if self.kind == "counter" else ""
        for suffix in (unit, total):
            if suffix and not name.endswith(f"_{suffix}"):
                name = f"{name}_{suffix}"
        return name

    @property
    def prometheus_labels(self) -> tuple[str, ...]:
        """Label names in the order of `labels`."""
        return tuple(prometheus_label(label) for label in self.labels)


# OpenTelemetry's advice for HTTP and RPC durations, and for database durations.
_REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_DATABASE_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
# A call inside one machine takes a millisecond or two: without these its quantiles would be guesses.
_CALL_BUCKETS: Final = (0.001, 0.0025, *_REQUEST_BUCKETS)

HTTP_SERVER_REQUEST_DURATION: Final = Metric(
    _http_metrics.HTTP_SERVER_REQUEST_DURATION,
    "s",
    "histogram",
    (HTTP_REQUEST_METHOD, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE),
    "Duration of requests served over HTTP, failed ones included.",
    _REQUEST_BUCKETS,
)
HTTP_SERVER_ACTIVE_REQUESTS: Final = Metric(
    _http_metrics.HTTP_SERVER_ACTIVE_REQUESTS,
    "{request}",
    "gauge",
    (),
    "Requests being served over HTTP right now.",
)
HTTP_SERVER_CONNECTIONS: Final = Metric(
    "faultline.http.server.connections",
    "{connection}",
    "gauge",
    (),
    "Connections that are open at the HTTP listener right now, idle ones included.",
)
HTTP_SERVER_CONNECTIONS_CUT: Final = Metric(
    "faultline.http.server.connections.cut",
    "{connection}",
    "counter",
    (CONNECTION_CUT,),
    "Connections that the HTTP listener ended without an answer; requests it refused are counted as requests.",
)
RPC_SERVER_CALL_DURATION: Final = Metric(
    _rpc_metrics.RPC_SERVER_CALL_DURATION,
    "s",
    "histogram",
    (RPC_METHOD, RPC_RESPONSE_STATUS_CODE),
    "Duration of calls served over gRPC, failed ones included.",
    _REQUEST_BUCKETS,
)
HTTP_CLIENT_REQUEST_DURATION: Final = Metric(
    _http_metrics.HTTP_CLIENT_REQUEST_DURATION,
    "s",
    "histogram",
    (HTTP_REQUEST_METHOD, CALLEE, HTTP_RESPONSE_STATUS_CODE, ERROR_TYPE),
    "Duration of single HTTP attempts at a peer; the status is empty when none was received.",
    _REQUEST_BUCKETS,
)
RPC_CLIENT_CALL_DURATION: Final = Metric(
    _rpc_metrics.RPC_CLIENT_CALL_DURATION,
    "s",
    "histogram",
    (RPC_METHOD, CALLEE, RPC_RESPONSE_STATUS_CODE, ERROR_TYPE),
    "Duration of single gRPC attempts at a peer.",
    _REQUEST_BUCKETS,
)
DB_CLIENT_OPERATION_DURATION: Final = Metric(
    _db_metrics.DB_CLIENT_OPERATION_DURATION,
    "s",
    "histogram",
    (DB_SYSTEM_NAME, DB_OPERATION_NAME, OUTCOME),
    "Duration of units of work in the database, their commit included.",
    _DATABASE_BUCKETS,
)
DB_CLIENT_CONNECTION_COUNT: Final = Metric(
    _db_pool_metrics.DB_CLIENT_CONNECTION_COUNT,
    "{connection}",
    "gauge",
    (DB_CLIENT_CONNECTION_POOL_NAME, DB_CLIENT_CONNECTION_STATE),
    "Open connections to the database, in use or idle.",
)
DB_CLIENT_CONNECTION_MAX: Final = Metric(
    _db_pool_metrics.DB_CLIENT_CONNECTION_MAX,
    "{connection}",
    "gauge",
    (DB_CLIENT_CONNECTION_POOL_NAME,),
    "Connections to the database that may be open at a time.",
)
DB_CLIENT_CONNECTION_PENDING_REQUESTS: Final = Metric(
    _db_pool_metrics.DB_CLIENT_CONNECTION_PENDING_REQUESTS,
    "{request}",
    "gauge",
    (DB_CLIENT_CONNECTION_POOL_NAME,),
    "Units of work that wait for a connection to the database right now.",
)
DB_CLIENT_CONNECTION_TIMEOUTS: Final = Metric(
    _db_pool_metrics.DB_CLIENT_CONNECTION_TIMEOUTS,
    "{timeout}",
    "counter",
    (DB_CLIENT_CONNECTION_POOL_NAME,),
    "Units of work that got no connection to the database in time.",
)
DB_CLIENT_CONNECTION_WAIT_TIME: Final = Metric(
    _db_pool_metrics.DB_CLIENT_CONNECTION_WAIT_TIME,
    "s",
    "histogram",
    (DB_CLIENT_CONNECTION_POOL_NAME,),
    "Time that units of work waited for a connection to the database, in vain or not.",
    _DATABASE_BUCKETS,
)
DB_CLIENT_CONNECTION_USE_TIME: Final = Metric(
    _db_pool_metrics.DB_CLIENT_CONNECTION_USE_TIME,
    "s",
    "histogram",
    (DB_CLIENT_CONNECTION_POOL_NAME,),
    "Time between taking a connection to the database and giving it back.",
    _DATABASE_BUCKETS,
)
CALL_DURATION: Final = Metric(
    "faultline.call.duration",
    "s",
    "histogram",
    (CALLEE, OPERATION, OUTCOME),
    "Duration of logical calls to a peer, all attempts and waits included.",
    _CALL_BUCKETS,
)
CALL_ATTEMPTS: Final = Metric(
    "faultline.call.attempts",
    "{attempt}",
    "counter",
    (CALLEE, OPERATION, OUTCOME),
    "Attempts made at a peer; by the count of logical calls this is the amplification.",
)
RETRIES: Final = Metric(
    "faultline.retries",
    "{attempt}",
    "counter",
    (CALLEE, OPERATION, OUTCOME),
    "Attempts beyond a call's first, by what became of them.",
)
RETRIES_STOPPED: Final = Metric(
    "faultline.retries.stopped",
    "{call}",
    "counter",
    (CALLEE, RETRY_STOPPED_BY),
    "Failed calls that were not made again, by what forbade it.",
)
RETRY_BUDGET_WITHDRAWALS: Final = Metric(
    "faultline.retry_budget.withdrawals",
    "{attempt}",
    "counter",
    (CALLEE, BUDGET_RESULT),
    "Attempts beyond a call's first that a peer's budget was asked for.",
)
RETRY_BUDGET_BALANCE: Final = Metric(
    "faultline.retry_budget.balance",
    "{attempt}",
    "gauge",
    (CALLEE,),
    "Attempts that the budget had left when it was last asked.",
)
BREAKER_STATES: Final = Metric(
    "faultline.circuit_breaker.state",
    "",
    "gauge",
    (CALLEE, BREAKER_STATE),
    "1 for the state that the circuit breaker is in, 0 for the others.",
)
BREAKER_TRANSITIONS: Final = Metric(
    "faultline.circuit_breaker.transitions",
    "{transition}",
    "counter",
    (CALLEE, BREAKER_STATE),
    "Moves of the circuit breaker, by the state it came to.",
)
BREAKER_REJECTIONS: Final = Metric(
    "faultline.circuit_breaker.rejections",
    "{attempt}",
    "counter",
    (CALLEE,),
    "Attempts that the circuit breaker did not let pass.",
)
BULKHEAD_IN_FLIGHT: Final = Metric(
    "faultline.bulkhead.in_flight",
    "{attempt}",
    "gauge",
    (CALLEE,),
    "Attempts that are at the peer right now, as the bulkhead counts them.",
)
BULKHEAD_QUEUED: Final = Metric(
    "faultline.bulkhead.queued",
    "{attempt}",
    "gauge",
    (CALLEE,),
    "Attempts that wait for room in the bulkhead.",
)
BULKHEAD_REJECTIONS: Final = Metric(
    "faultline.bulkhead.rejections",
    "{attempt}",
    "counter",
    (CALLEE,),
    "Attempts for which the bulkhead had no room, or none in time.",
)
HEDGES: Final = Metric(
    "faultline.hedges",
    "{call}",
    "counter",
    (CALLEE, HEDGE_RESULT),
    "Calls that were hedged, by what became of the hedge.",
)
FALLBACKS: Final = Metric(
    "faultline.fallbacks",
    "{call}",
    "counter",
    (CALLEE, OPERATION, FALLBACK_RESULT),
    "Calls without an answer whose fallback was asked for one, by whether it had any.",
)
LOAD_SHEDDING: Final = Metric(
    "faultline.load.shed",
    "{request}",
    "counter",
    (),
    "Requests that this server refused because it had as many as it can serve.",
)
LOAD_LIMITS: Final = Metric(
    "faultline.load.limit",
    "{request}",
    "gauge",
    (),
    "Requests that this server serves at once at most, as it has learned by now.",
)
LOAD_SERVED: Final = Metric(
    "faultline.load.in_flight",
    "{request}",
    "gauge",
    (),
    "Requests that this server serves right now, those that wait for their turn not included.",
)
CHECKOUTS: Final = Metric(
    "faultline.checkouts",
    "{checkout}",
    "counter",
    (CHECKOUT_OUTCOME,),
    "Checkouts, by how they ended.",
)
RECOVERIES: Final = Metric(
    "faultline.recoveries",
    "{recovery}",
    "counter",
    (RECOVERY_OUTCOME,),
    "Attempts to carry on an order that nobody drove any more, by what became of the order.",
)
RESERVATIONS_EXPIRED: Final = Metric(
    "faultline.reservations.expired",
    "{reservation}",
    "counter",
    (),
    "Reservations that were given back because nobody sold or renewed them in time.",
)
FAULTS_TOUCHED: Final = Metric(
    "faultline.faults.touched",
    "{request}",
    "counter",
    (EXPERIMENT, FAULT_KIND),
    "Requests, units of work and processes that an injected fault has touched.",
)
FAULTS_ACTIVE: Final = Metric(
    "faultline.faults.active",
    "{fault}",
    "gauge",
    (EXPERIMENT, FAULT_KIND),
    "Injected faults that are in force.",
)
BAGGAGE_STRIPPED: Final = Metric(
    "faultline.baggage.stripped",
    "{request}",
    "counter",
    (),
    "Requests from outside that came with baggage they may not bring, which was taken from them.",
)
BUILD_INFO: Final = Metric(
    "faultline.build.info",
    "",
    "gauge",
    (SERVICE_NAME, SERVICE_VERSION, SERVICE_INSTANCE_ID, PROCESS_RUNTIME_VERSION),
    "Always 1; what is running is in the labels.",
)
EVENT_LOOP_LAG: Final = Metric(
    "faultline.event_loop.lag",
    "s",
    "gauge",
    (),
    "How late the event loop last ran a task that was due.",
)
TELEMETRY_SPANS: Final = Metric(
    "faultline.telemetry.spans",
    "{span}",
    "counter",
    (TELEMETRY_RESULT,),
    "Sampled spans that ended, by what became of them.",
)

LOAD_REQUESTS: Final = Metric(
    "faultline.load.requests",
    "{request}",
    "counter",
    (LOAD_OUTCOME,),
    "Requests of the load generator that ended, by what became of them.",
)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
