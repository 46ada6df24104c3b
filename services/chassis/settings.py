"""Settings: declared once with name, default and help, read once from the environment.

A wrong setting stops the process before anything is started, naming every wrong key.
Where `SECRETS_DIR` names a folder, a setting that the environment does not have is read from the file of its name there:
what is mounted as a file is in no process's environment, which others may see.
"""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.chassis.errors import SettingsError
from services.chassis.resilience.adaptive_limit import AdaptiveLimitConfig
from services.chassis.resilience.load_shedding import LoadSheddingConfig
from services.chassis.resilience.policy import Preset

EX_CONFIG = 78
"""Exit code of a process whose settings are wrong (sysexits.h)."""

SECRETS_DIR = "SECRETS_DIR"
"""Environment variable: a folder with files named after settings, in lower case."""

Port = Annotated[int, Field(ge=1, le=65535)]


def _split(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _matching(pattern: str, example: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must look like {example}")
        return value

    return AfterValidator(check)


_HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_PORT = r"[0-9]{1,5}"

HttpAddress = Annotated[str, _matching(rf"https?://{_HOST}(?::{_PORT})?", "http://127.0.0.1:8081")]
OptionalAddress = Annotated[str, _matching(rf"(?:https?://{_HOST}(?::{_PORT})?)?", "http://127.0.0.1:4317")]
GrpcAddress = Annotated[str, _matching(rf"{_HOST}:{_PORT}", "127.0.0.1:50051")]


def _resolvable_together(targets: list[str]) -> list[str]:
    if len(targets) > 1 and not all(re.fullmatch(rf"[0-9.]+:{_PORT}", each) for each in targets):
        raise ValueError("several addresses must be given as IPv4 addresses with ports")
    return targets


HttpTargets = Annotated[list[HttpAddress], NoDecode, BeforeValidator(_split), Field(min_length=1)]
"""Addresses of a peer's HTTP replicas, separated by commas."""

GrpcTargets = Annotated[
    list[GrpcAddress], NoDecode, BeforeValidator(_split), Field(min_length=1), AfterValidator(_resolvable_together)
]
"""Addresses of a peer's gRPC replicas, separated by commas."""


LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]

ServerSpanWriter = Literal["stock", "lean"]
"""Who writes the span of each HTTP request that is served: OpenTelemetry's instrumentation of FastAPI, or a lean one of ours."""

ServerSpanSetting = Annotated[
    ServerSpanWriter,
    Field(
        description="Who writes the spans of HTTP requests: `stock`, OpenTelemetry's instrumentation of FastAPI, or `lean`, "
        "which writes the same for less."
    ),
]


class ServiceSettings(BaseSettings):
    """What every service needs; each adds its own."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, hide_input_in_errors=True)

    bind_host: str = Field("127.0.0.1", description="Address all listeners bind to.")
    admin_port: Port = Field(description="Port of the read-only admin listener: metrics and health.")
    control_host: str = Field(
        "127.0.0.1", description="Address the control listener binds to, whatever the others bind to."
    )
    control_port: Port = Field(description="Port of the control listener, which needs the token.")
    control_token: SecretStr = Field(
        min_length=16, description="Bearer token of the control listener, 16 characters or more. No default."
    )
    service_instance_id: str = Field("", description="Name of this replica in telemetry; empty: `<service>-1`.")
    otel_exporter_otlp_endpoint: OptionalAddress = Field(
        "http://127.0.0.1:4317", description="OTLP/gRPC address that spans go to; empty: spans go nowhere."
    )
    trace_sample_ratio: float = Field(1.0, ge=0, le=1, description="Share of new traces that are recorded, 0 to 1.")
    log_level: LogLevel = Field("INFO", description="Least severe log line that is written.")
    policy_preset: Preset = Field(
        "full",
        description="Policies in force on outbound edges at the start: off, timeouts, retries, budgeted, breaker, full.",
    )
    policies_file: Path | None = Field(
        None,
        description="File that keeps what policies were switched to, for who is started again; without it, it starts with "
        "POLICY_PRESET. `faultline up` gives each process one, and empties them at its start.",
    )
    fault_injection_enabled: bool = Field(
        False, description="Whether the control listener takes faults to inject. `faultline up` switches it on."
    )
    concurrency_limit_min: int = Field(
        200, ge=1, le=10_000, description="Requests that are served at once whatever the latency."
    )
    concurrency_limit_max: int = Field(
        1000, ge=1, le=10_000, description="Requests that are served at once at most; between the two, latency decides."
    )
    request_queue: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Requests that may wait for their turn; further ones are answered `overloaded`.",
    )
    request_queue_wait_s: float = Field(
        0.1, gt=0, le=60, description="Seconds a request may wait for its turn before it is answered `overloaded`."
    )
    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that requests in flight get to finish when the process is told to end."
    )
    lifeline_fd: int | None = Field(
        None, description="Read end of a pipe; at its end of file the process drains and ends. Set by the supervisor."
    )

    @property
    def secrets(self) -> frozenset[str]:
        """Values that must never leave the process."""
        return frozenset({self.control_token.get_secret_value()})

    @field_validator("concurrency_limit_max")
    @classmethod
    def _not_below_the_minimum(cls, most: int, info: ValidationInfo) -> int:
        if most < info.data.get("concurrency_limit_min", 0):
            raise ValueError("must not be below CONCURRENCY_LIMIT_MIN")
        return most

    @property
    def load_shedding(self) -> LoadSheddingConfig:
        """Of the public listener."""
        least, most = self.concurrency_limit_min, self.concurrency_limit_max
        limit = AdaptiveLimitConfig(initial=least, least=least, most=most)
        return LoadSheddingConfig(limit, self.request_queue, self.request_queue_wait_s)


S = TypeVar("S", bound=BaseSettings)


def read(settings: type[S]) -> S:
    """The settings in the environment, and in the folder of secrets if it names one.

    Raises: SettingsError with a line for each wrong key.
    """
    folder = os.environ.get(SECRETS_DIR) or None
    if folder and not os.path.isdir(folder):  # noqa: PTH112 -- a text that may be anything
        raise SettingsError(f"wrong settings:\n  {SECRETS_DIR}: there is no such folder")
    try:
        return settings(_secrets_dir=folder)
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
    rows = (f"  {str(each['loc'][0]).upper()}: {each['msg']}" for each in exc.errors())
    return "wrong settings:\n" + "\n".join(rows)
