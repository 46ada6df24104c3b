"""The gateway's settings."""

from pydantic import Field, FilePath, field_validator

from services.chassis.http.limits import Limits
from services.chassis.settings import GrpcTargets, HttpTargets, Port, ServerSpanSetting, ServiceSettings
from services.gateway import api_keys


class GatewaySettings(ServiceSettings):
    """What the gateway needs besides what every service needs."""

    http_port: Port = Field(description="Port of the public HTTP listener.")
    http_server_spans: ServerSpanSetting = "stock"
    orders_targets: HttpTargets = Field(
        default=["http://127.0.0.1:8081"], description="Addresses of orders' replicas, separated by commas."
    )
    inventory_targets: GrpcTargets = Field(
        default=["127.0.0.1:50051"], description="Addresses of inventory's replicas, separated by commas."
    )
    api_keys_file: FilePath = Field(
        description='JSON file with the hashes of the accepted API keys: `{"keys": [{"sha256", "user_id", '
        '"client_id", "scopes"}]}`. No default.'
    )
    request_timeout_ms: int = Field(
        2000,
        ge=1,
        le=600_000,
        description="Milliseconds a request may take: the most a client can ask for, and what it gets if it does not.",
    )
    max_body_bytes: int = Field(65_536, ge=1, description="Bytes a request's body may have.")
    body_timeout_s: float = Field(
        10.0,
        gt=0,
        le=600,
        description="Seconds a request's body may take to arrive; the time for the request begins then.",
    )
    max_header_bytes: int = Field(
        Limits.head_bytes, ge=1024, description="Bytes a request's line and headers may have together."
    )
    header_timeout_s: float = Field(
        Limits.head_seconds, gt=0, le=600, description="Seconds a request's line and headers may take to arrive."
    )
    max_connections: int = Field(
        Limits.connections,
        ge=1,
        description="Connections that are served at a time; further ones are answered with 503 where none idles.",
    )
    idle_timeout_s: float = Field(
        Limits.idle_seconds,
        gt=0,
        le=60,
        description="Seconds after which a connection that idles between requests is closed to make room for a new one "
        "where all are taken; with room to spare it may idle for 60.",
    )

    @field_validator("api_keys_file")
    @classmethod
    def _holds_keys(cls, path: FilePath) -> FilePath:
        try:
            api_keys.read(path)
        except OSError as exc:
            raise ValueError(f"cannot be read: {exc.strerror}") from exc
        return path

    @property
    def limits(self) -> Limits:
        """Of the public listener."""
        return Limits(
            connections=self.max_connections,
            head_bytes=self.max_header_bytes,
            head_seconds=self.header_timeout_s,
            rest_seconds=self.body_timeout_s,
            idle_seconds=self.idle_timeout_s,
        )
