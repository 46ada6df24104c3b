"""The settings of the first start, declared once, read once from the environment."""

import os
import sys
from pathlib import Path

from pydantic import DirectoryPath, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.compose.topology import PROJECT


class FirstStartSettings(BaseSettings):
    """Every setting of `python -m deploy.compose.first_start`."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    secrets_volume: DirectoryPath = Field(description="Folder for the containers' secrets, one folder for each.")
    state_folder: DirectoryPath = Field(
        description="Folder for whoever uses the system from outside of the containers, with `faultline --target compose`."
    )
    owned_like: Path = Field(description="File whose owner owns what is in `STATE_FOLDER`.")
    project: str = Field(PROJECT, min_length=1, description="Name of the compose project.")


def load() -> FirstStartSettings:
    """The settings in the environment; ends the process with `EX_CONFIG` naming every wrong key."""
    try:
        return FirstStartSettings()
    except ValidationError as exc:
        rows = (f"  {'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
        print("wrong settings:\n" + "\n".join(rows), file=sys.stderr)
        raise SystemExit(os.EX_CONFIG) from exc
