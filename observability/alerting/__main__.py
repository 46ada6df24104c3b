"""`python -m observability.alerting`: runs until SIGTERM, SIGINT or a cut lifeline.

Exits with 78 when settings or `slo.yaml` are wrong, 69 when a port is taken, 0 after an orderly end.
"""

import asyncio
import logging
import sys

from observability import lifeline, logs
from observability.alerting.bootstrap import Alerts
from observability.alerting.settings import EX_CONFIG, NAME, AlertsSettings, load, token_in
from observability.redaction import Redactor
from observability.sockets import EX_UNAVAILABLE, AddressError, PortTakenError
from observability.stack.objectives import ObjectivesError

log = logging.getLogger(__name__)


def main() -> None:
    """Runs with the settings in the environment."""
    settings = load()
    logs.start(
        settings.service, settings.log_level, sys.stdout, Redactor([token_in(settings.notifications_token_file)])
    )
    try:
        asyncio.run(_run(settings))
    except PortTakenError as exc:
        print(f"{NAME}: {exc}", file=sys.stderr)
        raise SystemExit(EX_UNAVAILABLE) from exc
    except (AddressError, ObjectivesError) as exc:
        print(f"{NAME}: wrong settings:\n  {exc}", file=sys.stderr)
        raise SystemExit(EX_CONFIG) from exc


async def _run(settings: AlertsSettings) -> None:
    told_to_end = lifeline.told_to_end(settings.lifeline_fd, settings.drain_timeout_s + 2)
    alerts = Alerts(settings)
    try:
        await alerts.start()
        await alerts.run(told_to_end)
        log.info("draining")
    finally:
        await alerts.end()


if __name__ == "__main__":
    main()
