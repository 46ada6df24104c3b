"""`python -m deploy.programs.jaeger`: Jaeger v2, which gets all spans from the embedded backend."""

from typing import Final

from deploy.programs.become import Start, main
from deploy.programs.catalogue import (
    HTTP_PORT,
    OTLP_GRPC_PORT,
    OTLP_HTTP_PORT,
    PROMETHEUS,
    QUERY_PORT,
    SPAN_METRICS_PORT,
    TELEMETRY_PORT,
)
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Site
from observability.stack import jaeger

_CONFIG: Final = "jaeger.yaml"


def plan(settings: ProgramSettings, site: Site) -> Start:
    """Its configuration and arguments."""
    own = site.own
    listeners = jaeger.Listeners(
        query=own.address(QUERY_PORT),
        otlp_grpc=own.address(OTLP_GRPC_PORT),
        otlp_http=own.address(OTLP_HTTP_PORT),
        span_metrics=own.address(SPAN_METRICS_PORT),
        telemetry_host=own.host,
        telemetry_port=own.listeners[TELEMETRY_PORT],
    )
    config = jaeger.render(listeners, prometheus_url=site.url(PROMETHEUS, HTTP_PORT))
    return Start([f"--config={settings.data_folder / _CONFIG}"], {_CONFIG: config})


if __name__ == "__main__":
    main(plan)
