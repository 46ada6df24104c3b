"""Notifications: what was delivered, kept in a bounded ring, and how Alertmanager says it.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

WATCHDOG: Final = "Watchdog"
_MOST_ALERTS: Final = 1000
_MOST_LABELS: Final = 40

Text = Annotated[str, StringConstraints(max_length=1000)]
Labels = Annotated[dict[Text, Text], Field(max_length=_MOST_LABELS)]


class WebhookAlert(BaseModel):
    """One alert of a notification; what else it has is not looked at."""

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Labels = {}
    starts_at: Annotated[datetime, Field(alias="startsAt")]
    ends_at: Annotated[datetime | None, Field(alias="endsAt")] = None


class Webhook(BaseModel):
    """The body of a notification."""

    version: Literal["4"]
    alerts: Annotated[tuple[WebhookAlert, ...], Field(min_length=1, max_length=_MOST_ALERTS)]


@dataclass(frozen=True)
class Notification:
    """That an alert fires, or ended to; times in seconds since the epoch, `at_s` that of the delivery."""

    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    summary: str
    runbook_url: str
    at_s: float
    starts_s: float
    ends_s: float | None

    def document(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "alertname": self.labels.get("alertname", ""),
            "severity": self.labels.get("severity", ""),
            "labels": dict(self.labels),
            "summary": self.summary,
            "runbook_url": self.runbook_url,
            "at": rfc3339(self.at_s),
            "starts_at": rfc3339(self.starts_s),
            "ends_at": None if self.ends_s is None else rfc3339(self.ends_s),
        }


class Delivered:
    """The newest notifications, `most` of them, and when the watchdog was last heard of."""

    def __init__(self, most: int) -> None:
        self._kept: deque[Notification] = deque(maxlen=most)
        self.heartbeat_s: float | None = None

    def take(self, notification: Notification) -> None:
        """Keeps one; the watchdog's only say that others would come through."""
        if notification.labels.get("alertname") == WATCHDOG:
            self.heartbeat_s = notification.at_s
        else:
            self._kept.append(notification)

    def forget_heartbeat(self) -> None:
        """What the watchdog proved was of another way: this one is yet to be proven."""
        self.heartbeat_s = None

    def newest_first(self) -> list[Notification]:
        return list(reversed(self._kept))


def of_webhook(body: bytes, at_s: float) -> list[Notification]:
    """Raises pydantic.ValidationError for what Alertmanager would not send."""
    return list(_notifications(Webhook.model_validate_json(body).alerts, at_s))


def _notifications(alerts: Iterable[WebhookAlert], at_s: float) -> Iterable[Notification]:
    for each in alerts:
        resolved = each.status == "resolved" and each.ends_at is not None
        yield Notification(
            each.status,
            each.labels,
            each.annotations.get("summary", ""),
            each.annotations.get("runbook_url", ""),
            at_s,
            each.starts_at.timestamp(),
            each.ends_at.timestamp() if each.ends_at and resolved else None,
        )


def rfc3339(seconds: float) -> str:
    """`2025-01-31T12:00:00.123Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
