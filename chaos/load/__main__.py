"""`python -m chaos.load`: sends load until SIGTERM, SIGINT or a cut lifeline, as `faultline up --load` runs it.

Exits with 78 when settings are wrong, 69 when its port is taken, 0 after an orderly end.
"""

import asyncio
import logging
import os
import sys

from chaos.load.admin import Admin
from chaos.load.generator import Limits
from chaos.load.settings import LoadSettings, keys_in, load
from chaos.load.trickle import Trickle
from observability import lifeline, logs, semconv
from observability.redaction import Redactor
from observability.version import VERSION

log = logging.getLogger(__name__)

NAME = "load"


def main() -> None:
    """Runs with the settings in the environment."""
    settings = load()
    keys = keys_in(settings.client_keys_file)
    service = {
        semconv.SERVICE_NAME: NAME,
        semconv.SERVICE_VERSION: VERSION,
        semconv.SERVICE_INSTANCE_ID: settings.service_instance_id,
    }
    logs.start(service, settings.log_level, sys.stdout, Redactor(keys))
    try:
        asyncio.run(_run(settings, keys, service))
    except OSError as exc:
        print(f"ADMIN_PORT: cannot listen on {settings.bind_host}:{settings.admin_port}: {exc}", file=sys.stderr)
        raise SystemExit(os.EX_UNAVAILABLE) from exc


async def _run(settings: LoadSettings, keys: tuple[str, ...], service: dict[str, str]) -> None:
    stop = lifeline.told_to_end(settings.lifeline_fd, settings.drain_timeout_s + 2)
    begun = [asyncio.Event() for _ in settings.gateway_targets]
    admin = Admin(service, lambda: all(each.is_set() for each in begun))
    rps, timeout_s = settings.load_rps / len(begun), min(Limits.timeout_s, settings.drain_timeout_s)
    limits = Limits(timeout_s=timeout_s, containers=settings.gateway_containers)
    async with admin.serving(settings.bind_host, settings.admin_port) as port, asyncio.TaskGroup() as tasks:
        for url, each in zip(settings.gateway_targets, begun, strict=True):
            trickle = Trickle(url, keys, rps, settings.load_seed, limits)
            tasks.create_task(trickle.run(stop, each, admin.count))
        log.info("load begins", extra={"rps": settings.load_rps, "users": len(keys), "admin_port": port})
        await stop.wait()
        log.info("draining")


if __name__ == "__main__":
    main()
