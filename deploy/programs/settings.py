"""The settings of a program's process: declared once, read once. The program itself gets its own configuration."""

import os
import sys
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _open(fd: int) -> int:
    try:
        os.fstat(fd)
    except OSError as exc:
        raise ValueError(f"{fd} is no open file descriptor") from exc
    return fd


class ProgramSettings(BaseSettings):
    """Read by `python -m deploy.programs.NAME`."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    program_file: FilePath = Field(description="The program to become.")
    topology_file: FilePath = Field(description="`topology.json` of the running system: who listens where.")
    data_folder: Path = Field(description="Folder for the program's data and its configuration; made where it is not.")
    service_instance_id: str = Field(min_length=1, description="Name of this process in the topology.")
    bind_host: str = Field("127.0.0.1", min_length=1, description="Address all listeners bind to.")
    notifications_token_file: FilePath | None = Field(
        None, description="File with the token that Alertmanager sends notifications with."
    )
    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that the program gets to end by itself once the supervisor is gone."
    )
    lifeline_fd: Annotated[int, AfterValidator(_open)] = Field(
        description="Read end of a pipe; at its end of file the program is ended. Set by the supervisor."
    )


def load() -> ProgramSettings:
    """The settings in the environment; ends the process with `EX_CONFIG` naming every wrong key."""
    try:
        return ProgramSettings()
    except ValidationError as exc:
        rows = (f"  {'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
        print("wrong settings:\n" + "\n".join(rows), file=sys.stderr)
        raise SystemExit(os.EX_CONFIG) from exc
