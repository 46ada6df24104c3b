"""Times and names as people read them; for pages and terminals."""

import re
from datetime import UTC, datetime
from typing import Final

CHARACTER_PX: Final = 7.8
"""About the width of a letter at 14 pixels, half bold."""

_GRPC_METHOD: Final = re.compile(r"(?:\w+\.)+(\w+/\w+)")


def duration(us: float) -> str:
    """Three digits and a unit: `850 µs`, `12.3 ms`, `2.31 s`, `3 min 20 s`, `5 h 2 min`, `36 days`."""
    if us < 1_000:
        return f"{us:.0f} µs"
    if us < 999_500:
        return f"{_three_digits(us / 1_000)} ms"
    if us < 60_000_000:
        return f"{_three_digits(us / 1_000_000)} s"
    minutes, seconds = divmod(round(us / 1_000_000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24:,} days"


def _three_digits(value: float) -> str:
    text = f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(us: int) -> str:
    """Microseconds since 1970 as `2026-01-01 01:00:05.123 UTC`."""
    return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}.{us % 1_000_000 // 1_000:03d} UTC"


def operation(name: str) -> str:
    """A gRPC method without its package, as `Payments/Authorize`; anything else unchanged."""
    match = _GRPC_METHOD.fullmatch(name)
    return match[1] if match else name


def rate(per_second: float) -> str:
    """Two digits: `0.05/s`, `4.2/s`, `130/s`."""
    digits = 0 if per_second >= 10 else 1 if per_second >= 1 else 2
    return f"{per_second:.{digits}f}/s"


def shortened(name: str, width_px: float) -> str:
    """As much of `name` as a box of this width has room for, at 14 pixels."""
    room = max(2, int((width_px - 14) / CHARACTER_PX))
    return name if len(name) <= room else f"{name[: room - 1]}…"


def ticks(duration_us: int, at_most: int = 6) -> list[int]:
    """Round moments of a time axis, from 0, in microseconds."""
    span = max(duration_us, 1)
    magnitude = 1
    while True:
        for step in (magnitude, 2 * magnitude, 5 * magnitude):
            if span // step < at_most:
                return [*range(0, span + 1, step)]
        magnitude *= 10
