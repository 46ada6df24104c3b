"""The settings of the process: declared once with name, default and help, read once from the environment."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from observability import semconv
from observability.alerting.targets import Target, targets_in
from observability.version import VERSION

NAME: Final = "faultline-alerts"
EX_CONFIG: Final = 78
"""Exit code of a process whose settings are wrong (sysexits.h)."""

LEAST_TOKEN: Final = 16  # characters

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


def _holds_a_token(path: Path) -> Path:
    if len(token_in(path)) < LEAST_TOKEN:
        raise ValueError(f"holds fewer than {LEAST_TOKEN} characters")  # and not which: they are a secret
    return path


class AlertsSettings(BaseSettings):
    """Every setting of the process."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    bind_host: str = Field("127.0.0.1", min_length=1, description="Address all listeners bind to.")
    http_port: Port = Field(8902, description="Port that takes notifications, and tells alerts and runbooks.")
    admin_port: Port = Field(9085, description="Port of the read-only admin listener: metrics and health.")
    notifications_token_file: Annotated[FilePath, AfterValidator(_holds_a_token)] = Field(
        description="File with the bearer token of whoever may send notifications, 16 characters or more. No default."
    )
    alerts_profile: Literal["production", "demo"] = Field(
        "production", description="Windows and intervals of `slo.yaml` that are used: production, demo."
    )
    prometheus_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = Field(
        "", description="Prometheus that evaluates the rules; empty: this process evaluates, over its own scrapes."
    )
    scrape_targets: Annotated[list[Target], NoDecode, BeforeValidator(targets_in)] = Field(
        [], description="Whom to scrape without a Prometheus: `service/instance=host:port`, separated by commas."
    )
    kept_notifications: int = Field(
        200, ge=1, le=10_000, description="Delivered notifications that are kept; the oldest go first."
    )
    runbooks_folder: Path | None = Field(
        None, description="Folder with a page for each alert, served at `/runbooks`; empty: `docs/runbooks` here."
    )
    service_instance_id: str = Field("faultline-alerts-1", description="Name of this process in logs and metrics.")
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


def token_in(path: Path) -> str:
    """The file's content without the line's end, as Alertmanager reads it. Raises ValueError when it cannot be read."""
    try:
        return path.read_text("utf-8").strip()
    except OSError as exc:
        raise ValueError(f"cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ValueError("is no text") from exc


def load() -> AlertsSettings:
    """The settings in the environment; ends the process with `EX_CONFIG` naming every wrong key."""
    try:
        return AlertsSettings()
    except ValidationError as exc:
        rows = (f"  {'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
        print("wrong settings:\n" + "\n".join(rows), file=sys.stderr)
        raise SystemExit(EX_CONFIG) from exc
