"""Fields of log lines and exemplars, headers, and in lower case gRPC metadata."""

from typing import Final

TRACE_ID: Final = "trace_id"
SPAN_ID: Final = "span_id"

HEADER_TRACEPARENT: Final = "traceparent"
HEADER_TRACESTATE: Final = "tracestate"
HEADER_BAGGAGE: Final = "baggage"
HEADER_TRACE_ID: Final = "X-Trace-Id"
HEADER_REQUEST_TIMEOUT_MS: Final = "X-Request-Timeout-Ms"
HEADER_GRPC_TIMEOUT: Final = "grpc-timeout"
HEADER_API_KEY: Final = "X-API-Key"
HEADER_IDEMPOTENCY_KEY: Final = "Idempotency-Key"
