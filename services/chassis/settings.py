"""Settings: declared once with name, default and help, read once from the environment.

A wrong setting stops the process before anything is started, naming every wrong key.
"""

import sys
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.chassis.errors import SettingsError

EX_CONFIG = 78
"""Exit code of a process whose settings are wrong (sysexits.h)."""

Port = Annotated[int, Field(ge=1, le=65535)]


def _split(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


Targets = Annotated[list[str], NoDecode, BeforeValidator(_split), Field(min_length=1)]
"""Addresses of a peer's replicas, separated by commas."""


class ServiceSettings(BaseSettings):
    """What every service needs; each adds its own."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, hide_input_in_errors=True)

    bind_host: str = Field("127.0.0.1", description="Address all listeners bind to.")
    admin_port: Port = Field(description="Port of the read-only admin listener: metrics and health.")
    control_port: Port = Field(description="Port of the control listener, which needs the token.")
    control_token: SecretStr = Field(
        min_length=16, description="Bearer token of the control listener, 16 characters or more. No default."
    )
    service_instance_id: str = Field("", description="Name of this replica in telemetry; empty: `<service>-1`.")
    otel_exporter_otlp_endpoint: str = Field(
        "http://127.0.0.1:4317", description="OTLP/gRPC address that spans go to; empty: spans go nowhere."
    )
    trace_sample_ratio: float = Field(1.0, ge=0, le=1, description="Share of new traces that are recorded, 0 to 1.")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe log line that is written."
    )
    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that requests in flight get to finish when the process is told to end."
    )
    lifeline_fd: int | None = Field(
        None, description="Read end of a pipe; at its end of file the process drains and ends. Set by the supervisor."
    )


S = TypeVar("S", bound=BaseSettings)


def read(settings: type[S]) -> S:
    """The settings in the environment.

    Raises: SettingsError with a line for each wrong key.
    """
    try:
        return settings()
    except ValidationError as exc:
        raise SettingsError(_explained(exc)) from exc


def load(settings: type[S]) -> S:
    """As `read`, but ends the process with `EX_CONFIG` and the explanation on standard error."""
    try:
        return read(settings)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        raise SystemExit(EX_CONFIG) from exc


def _explained(exc: ValidationError) -> str:
    # The value is not shown: it may be a secret that was put under a wrong name.
    rows = (f"  {'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
    return "wrong settings:\n" + "\n".join(rows)
