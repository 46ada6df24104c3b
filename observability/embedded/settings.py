"""The backend's settings: declared once with name, default and help, read once from the environment."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from observability import semconv
from observability.version import VERSION

NAME: Final = "faultline-backend"
EX_CONFIG: Final = 78
"""Exit code of a process whose settings are wrong (sysexits.h)."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""0 takes any free port; the log line `ready` tells which."""


def _open(fd: int) -> int:
    try:
        os.fstat(fd)
    except OSError as exc:
        raise ValueError(f"{fd} is no open file descriptor") from exc
    return fd


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class BackendSettings(BaseSettings):
    """Every setting of the process."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    bind_host: str = Field("127.0.0.1", min_length=1, description="Address all listeners bind to.")
    query_port: Port = Field(16686, description="Port of Jaeger's query API and of the pages.")
    otlp_grpc_port: Port = Field(4317, description="Port that takes spans as OTLP over gRPC.")
    otlp_http_port: Port = Field(4318, description="Port that takes spans as OTLP over HTTP, in protobuf or JSON.")
    admin_port: Port = Field(9084, description="Port of the read-only admin listener: metrics and health.")
    max_spans: int = Field(200_000, ge=1, description="The most spans that are kept; the oldest traces go first.")
    max_bytes: int = Field(
        200_000_000, ge=100_000, description="About the most memory, in bytes, that the kept spans may take."
    )
    traces_file: Path | None = Field(
        None,
        description="File that keeps the newest spans over a restart; without it they are in memory alone. `.1` and "
        "`.lock` stand beside it.",
    )
    traces_file_max_bytes: int = Field(
        32_000_000,
        ge=10_000,
        description="The most that TRACES_FILE may take, in bytes; reading it delays the start by about a second per ten "
        "million.",
    )
    logs_control_file: Path | None = Field(
        None,
        description="A supervisor's `control.json`: where its control API is asked for the log lines of a trace. "
        "Without it the pages show none.",
    )
    forward_otlp_endpoint: Annotated[str, Field(pattern=r"^(http://[^/\s]+)?$")] = Field(
        "", description="`http://host:port` of an OTLP/gRPC collector that gets all spans too; empty for none."
    )
    service_instance_id: str = Field("faultline-backend-1", description="Name of this process in logs and metrics.")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO", description="Least severe log line that is written."
    )
    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that requests in flight get to finish when the process is told to end."
    )
    lifeline_fd: Annotated[int, AfterValidator(_open)] | None = Field(
        None, description="Read end of a pipe; at its end of file the process drains and ends. Set by the supervisor."
    )

    @property
    def service(self) -> dict[str, str]:
        """The attributes that tell this process from every other."""
        return {
            semconv.SERVICE_NAME: NAME,
            semconv.SERVICE_VERSION: VERSION,
            semconv.SERVICE_INSTANCE_ID: self.service_instance_id,
        }


def load() -> BackendSettings:
    """The settings in the environment; ends the process with `EX_CONFIG` naming every wrong key."""
    try:
        return BackendSettings()
    except ValidationError as exc:
        print(_explained(exc), file=sys.stderr)
        raise SystemExit(EX_CONFIG) from exc


def _explained(exc: ValidationError) -> str:
    rows = (f"  {'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
    return "wrong settings:\n" + "\n".join(rows)
