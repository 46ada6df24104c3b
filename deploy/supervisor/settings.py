"""The supervisor's settings from the environment: declared once, read once."""

from typing import Annotated, Literal

from pydantic import Field, Json, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deploy.errors import UsageError


class SupervisorSettings(BaseSettings):
    """Read by `python -m deploy.supervisor` and `faultline up`."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, hide_input_in_errors=True)

    drain_timeout_s: float = Field(
        10.0, gt=0, le=300, description="Seconds that each process gets to finish its requests in flight; handed on."
    )
    database_urls: Annotated[Json[dict[str, str]], NoDecode] = Field(
        "{}",
        validate_default=True,
        description="JSON object from service to the SQLAlchemy URL of its database, handed on as its `DATABASE_URL`; a "
        "service that is not named keeps an SQLite file in the state folder.",
    )
    keep_traces: bool = Field(
        False, description="Whether the trace backend keeps its newest traces in the state folder, for its next start."
    )
    trace_sample_ratio: float | None = Field(
        None, ge=0, le=1, description="Share of new traces that are recorded, 0 to 1; handed on to every process."
    )
    http_server_spans: Literal["stock", "lean"] | None = Field(
        None, description="Who writes the spans of HTTP requests; handed on to every process."
    )
    lifeline_fd: int | None = Field(
        None, description="Read end of a pipe; at its end of file the supervisor ends everything. Set by its starter."
    )

    @property
    def handed_on(self) -> dict[str, str]:
        """Environment variables of every process: of the settings that are theirs, those that were chosen."""
        chosen = {"TRACE_SAMPLE_RATIO": self.trace_sample_ratio, "HTTP_SERVER_SPANS": self.http_server_spans}
        return {name: str(value) for name, value in chosen.items() if value is not None}


def load() -> SupervisorSettings:
    """Raises UsageError naming every wrong key."""
    try:
        return SupervisorSettings()
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in exc.errors())
        raise UsageError(f"wrong settings: {wrong}") from exc
