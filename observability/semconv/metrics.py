"""Every metric, declared once; its Prometheus name follows from it."""

from typing import Final

from opentelemetry.semconv._incubating.metrics import db_metrics as _db_pool_metrics
from opentelemetry.semconv._incubating.metrics import http_metrics as _http_metrics
from opentelemetry.semconv._incubating.metrics import otel_metrics as _otel_metrics
from opentelemetry.semconv._incubating.metrics import rpc_metrics as _rpc_metrics
from opentelemetry.semconv.metrics import db_metrics as _db_metrics

from observability.semconv.attributes import (
    BREAKER_STATE,
    BUDGET_RESULT,
    CALLEE,
    CHECKOUT_OUTCOME,
    CONNECTION_CUT,
    DB_CLIENT_CONNECTION_POOL_NAME,
    DB_CLIENT_CONNECTION_STATE,
    DB_OPERATION_NAME,
    DB_SYSTEM_NAME,
    ERROR_TYPE,
    EXPERIMENT,
    EXPERIMENT_ARM,
    FALLBACK_RESULT,
    FAULT_KIND,
    HEDGE_RESULT,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    LOAD_OUTCOME,
    OPERATION,
    OUTCOME,
    PROCESS_RUNTIME_VERSION,
    RECOVERY_OUTCOME,
    RETRY_STOPPED_BY,
    RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    TELEMETRY_RESULT,
)
from observability.semconv.metric import Metric

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
SERVER_SHED: Final = Metric(
    "faultline.server.shed",
    "{request}",
    "counter",
    (),
    "Requests that this server refused because it had as many as it can serve.",
)
SERVER_LIMITS: Final = Metric(
    "faultline.server.limit",
    "{request}",
    "gauge",
    (),
    "Requests that this server serves at once at most, as it has learned by now.",
)
SERVER_SERVED: Final = Metric(
    "faultline.server.in_flight",
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
EXPERIMENT_ACTIVE: Final = Metric(
    "faultline.experiment.active",
    "",
    "gauge",
    (EXPERIMENT, EXPERIMENT_ARM),
    "1 while an experiment runs on the system, as whoever runs it says; 0 once it ended, or fell silent.",
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
SPAN_QUEUE_SIZE: Final = Metric(
    _otel_metrics.OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE,
    "{span}",
    "gauge",
    (),
    "Spans that wait to be sent.",
)
SPAN_QUEUE_CAPACITY: Final = Metric(
    _otel_metrics.OTEL_SDK_PROCESSOR_SPAN_QUEUE_CAPACITY,
    "{span}",
    "gauge",
    (),
    "Spans that may wait to be sent; the next one is dropped.",
)

LOAD_REQUESTS: Final = Metric(
    "faultline.load.requests",
    "{request}",
    "counter",
    (LOAD_OUTCOME,),
    "Requests of the load generator that ended, by what became of them.",
)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
