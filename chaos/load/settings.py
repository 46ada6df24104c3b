"""The settings of load that never ends, declared once, read once from the environment."""

import json
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    FilePath,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chaos.load.errors import TargetError
from chaos.load.target import loopback_url

EX_CONFIG: Final = 78
"""Exit code of a process whose settings are wrong (sysexits.h)."""

CLIENT: Final = "load"
"""The client whose keys are used, one for each user."""

LEAST_RPS: Final = 0.01
MOST_RPS: Final = 100.0
_CONTAINER: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"  # what has a dot may be somebody's host


class _Key(BaseModel):
    key: str
    client_id: str


def _split(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


class LoadSettings(BaseSettings):
    """Every setting of `python -m chaos.load`."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    gateway_containers: Annotated[
        list[Annotated[str, Field(pattern=_CONTAINER)]], NoDecode, BeforeValidator(_split)
    ] = Field(
        [], description="Names of containers on this machine that the gateway's addresses may name; without dots."
    )
    gateway_targets: Annotated[list[str], NoDecode, BeforeValidator(_split)] = Field(
        min_length=1, description="Addresses of the gateway's replicas on this machine, separated by commas."
    )
    client_keys_file: FilePath = Field(
        description='JSON file with API keys, `[{"key", "client_id"}]`; those of the client `load` are used.'
    )
    load_rps: float = Field(
        ge=LEAST_RPS, le=MOST_RPS, description="Requests per second, to all of the gateway's replicas together."
    )
    load_seed: int = Field(1, description="Equal seeds send the same kinds of requests, for the same products.")
    bind_host: str = Field("127.0.0.1", min_length=1, description="Address the listener binds to.")
    admin_port: int = Field(
        9086, ge=0, le=65535, description="Port of the read-only admin listener: metrics and health; 0: a free one."
    )
    service_instance_id: str = Field("load-1", description="Name of this process in logs and metrics.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log line that is written."
    )
    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that requests in flight get to finish when the process is told to end."
    )
    lifeline_fd: int | None = Field(
        None, description="Read end of a pipe; at its end of file the process drains and ends. Set by the supervisor."
    )

    @field_validator("gateway_targets")
    @classmethod
    def _on_this_machine(cls, targets: list[str], info: ValidationInfo) -> list[str]:
        try:
            return [loopback_url(each, info.data.get("gateway_containers", ())) for each in targets]
        except TargetError as exc:
            raise ValueError(str(exc)) from exc

    @field_validator("client_keys_file")
    @classmethod
    def _holds_keys(cls, path: Path) -> Path:
        try:
            found = keys_in(path)
        except (OSError, ValueError) as exc:
            raise ValueError("cannot be read as a file of keys") from exc  # not what is wrong with it: it holds secrets
        if not found:
            raise ValueError(f"has no keys of the client {CLIENT}")
        return path


def keys_in(path: Path) -> tuple[str, ...]:
    """The keys to send load with, in the file's order. Raises OSError, ValueError."""
    keys = TypeAdapter(list[_Key]).validate_python(json.loads(path.read_bytes()))
    return tuple(each.key for each in keys if each.client_id == CLIENT)


def load() -> LoadSettings:
    """The settings in the environment; ends the process with `EX_CONFIG` naming every wrong key."""
    try:
        return LoadSettings()
    except ValidationError as exc:
        rows = (f"  {'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
        print("wrong settings:\n" + "\n".join(rows), file=sys.stderr)
        raise SystemExit(EX_CONFIG) from exc
