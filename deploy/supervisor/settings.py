"""The supervisor's settings from the environment: declared once, read once."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.errors import UsageError


class SupervisorSettings(BaseSettings):
    """Read by `python -m deploy.supervisor` and `faultline up`."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that each process gets to finish its requests in flight; handed on."
    )
    lifeline_fd: int | None = Field(
        None, description="Read end of a pipe; at its end of file the supervisor ends everything. Set by its starter."
    )


def load() -> SupervisorSettings:
    """Raises UsageError naming every wrong key."""
    try:
        return SupervisorSettings()
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
        raise UsageError(f"wrong settings: {wrong}") from exc
