"""A service's lifeline (see `observability.lifeline`): one that cannot be watched is a wrong setting."""

from collections.abc import Callable

from observability import lifeline
from services.chassis.errors import SettingsError


def watch(fd: int, on_cut: Callable[[], None], grace: float) -> None:
    """As `observability.lifeline.watch`. Raises: SettingsError when `fd` is not open."""
    try:
        lifeline.watch(fd, on_cut, grace)
    except OSError as exc:
        raise SettingsError(f"wrong settings:\n  LIFELINE_FD: {exc.strerror}") from exc
