"""Attributes of spans and labels of metrics."""

from typing import Final

from opentelemetry.semconv._incubating.attributes import db_attributes as _db_pool
from opentelemetry.semconv._incubating.attributes import process_attributes as _process
from opentelemetry.semconv._incubating.attributes import rpc_attributes as _rpc
from opentelemetry.semconv._incubating.attributes import user_agent_attributes as _agent_kind
from opentelemetry.semconv._incubating.attributes import user_attributes as _user
from opentelemetry.semconv.attributes import client_attributes as _client
from opentelemetry.semconv.attributes import db_attributes as _db
from opentelemetry.semconv.attributes import error_attributes as _error
from opentelemetry.semconv.attributes import exception_attributes as _exception
from opentelemetry.semconv.attributes import http_attributes as _http
from opentelemetry.semconv.attributes import network_attributes as _network
from opentelemetry.semconv.attributes import server_attributes as _server
from opentelemetry.semconv.attributes import service_attributes as _service
from opentelemetry.semconv.attributes import telemetry_attributes as _telemetry
from opentelemetry.semconv.attributes import url_attributes as _url
from opentelemetry.semconv.attributes import user_agent_attributes as _agent

# --- attributes: OpenTelemetry's -------------------------------------------------------------------------------------

SERVICE_NAME: Final = _service.SERVICE_NAME
SERVICE_VERSION: Final = _service.SERVICE_VERSION
SERVICE_INSTANCE_ID: Final = _service.SERVICE_INSTANCE_ID
TELEMETRY_SDK_NAME: Final = _telemetry.TELEMETRY_SDK_NAME
TELEMETRY_SDK_LANGUAGE: Final = _telemetry.TELEMETRY_SDK_LANGUAGE
TELEMETRY_SDK_VERSION: Final = _telemetry.TELEMETRY_SDK_VERSION
PROCESS_RUNTIME_VERSION: Final = _process.PROCESS_RUNTIME_VERSION

HTTP_REQUEST_METHOD: Final = _http.HTTP_REQUEST_METHOD
HTTP_REQUEST_METHOD_ORIGINAL: Final = _http.HTTP_REQUEST_METHOD_ORIGINAL
HTTP_REQUEST_RESEND_COUNT: Final = _http.HTTP_REQUEST_RESEND_COUNT
HTTP_RESPONSE_STATUS_CODE: Final = _http.HTTP_RESPONSE_STATUS_CODE
HTTP_ROUTE: Final = _http.HTTP_ROUTE
URL_FULL: Final = _url.URL_FULL
URL_PATH: Final = _url.URL_PATH
URL_SCHEME: Final = _url.URL_SCHEME
URL_QUERY: Final = _url.URL_QUERY
USER_AGENT_ORIGINAL: Final = _agent.USER_AGENT_ORIGINAL
USER_AGENT_SYNTHETIC_TYPE: Final = _agent_kind.USER_AGENT_SYNTHETIC_TYPE
NETWORK_PROTOCOL_VERSION: Final = _network.NETWORK_PROTOCOL_VERSION
CLIENT_ADDRESS: Final = _client.CLIENT_ADDRESS
CLIENT_PORT: Final = _client.CLIENT_PORT
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
SERVER_IN_FLIGHT: Final = "faultline.server.in_flight"
SERVER_LIMIT: Final = "faultline.server.limit"
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
EXPERIMENT_ARM: Final = "faultline.experiment.arm"  # the preset of policies it runs with; `as-is` where it chose none
TELEMETRY_RESULT: Final = "faultline.telemetry.result"
BACKEND_RESULT: Final = "faultline.backend.result"
ALERTS_RESULT: Final = "faultline.alerts.result"
CONNECTION_CUT: Final = "faultline.connection.cut"  # why a connection was ended without an answer
LOAD_OUTCOME: Final = "faultline.load.outcome"  # the class: success, degraded, refused, failed, unanswered, not_sent
