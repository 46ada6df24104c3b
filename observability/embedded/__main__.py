"""`python -m observability.embedded`: runs until SIGTERM, SIGINT or a cut lifeline.

Exits with 78 when settings are wrong, 69 when a port is taken, 0 after an orderly end.
"""

import asyncio
import logging
import sys

from observability import garbage, lifeline, logs
from observability.embedded.bootstrap import Backend
from observability.embedded.settings import EX_CONFIG, NAME, BackendSettings, load
from observability.embedded.traces_file import TracesFileError
from observability.redaction import Redactor
from observability.sockets import EX_UNAVAILABLE, AddressError, PortTakenError

log = logging.getLogger(__name__)


def main() -> None:
    """Runs the backend with the settings in the environment."""
    settings = load()
    logs.start(settings.service, settings.log_level, sys.stdout, Redactor())
    try:
        asyncio.run(_run(settings))
    except PortTakenError as exc:
        print(f"{NAME}: {exc}", file=sys.stderr)
        raise SystemExit(EX_UNAVAILABLE) from exc
    except (AddressError, TracesFileError) as exc:
        print(f"{NAME}: wrong settings:\n  {exc}", file=sys.stderr)
        raise SystemExit(EX_CONFIG) from exc


async def _run(settings: BackendSettings) -> None:
    told_to_end, backend = lifeline.told_to_end(settings.lifeline_fd, settings.drain_timeout_s + 2), Backend(settings)
    try:
        await backend.start()
        garbage.settle()
        await told_to_end.wait()
        log.info("draining")
    finally:
        await backend.end()


if __name__ == "__main__":
    main()
