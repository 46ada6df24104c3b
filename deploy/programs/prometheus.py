"""`python -m deploy.programs.prometheus`: Prometheus over every process that runs."""

from typing import Final

from deploy.programs.become import Start, main
from deploy.programs.catalogue import (
    ALERTMANAGER,
    HTTP_PORT,
    JAEGER,
    PROFILE,
    PROMETHEUS,
    SPAN_METRICS_PORT,
    TELEMETRY_PORT,
)
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Instance, Site
from deploy.topology import ADMIN_PORT
from observability.stack import objectives
from observability.stack.prometheus import config
from observability.stack.prometheus.config import Job, Target

_CONFIG: Final = "prometheus.yml"
_RETENTION: Final = ("--storage.tsdb.retention.time=7d", "--storage.tsdb.retention.size=512MB")


def plan(settings: ProgramSettings, site: Site) -> Start:
    """Its configuration and arguments."""
    text = config.render(
        _jobs(site),
        objectives.load_all().profiles[PROFILE],
        rule_files=[str(config.rules_file(PROFILE))],
        alertmanagers=[each.address(HTTP_PORT) for each in site.of_service(ALERTMANAGER)],
    )
    address = site.own.address(HTTP_PORT)
    arguments = (
        f"--config.file={settings.data_folder / _CONFIG}",
        f"--storage.tsdb.path={settings.data_folder / 'tsdb'}",
        *_RETENTION,
        "--enable-feature=exemplar-storage",
        f"--web.listen-address={address}",
        f"--web.external-url=http://{address}",
        "--log.level=warn",
    )
    return Start(arguments, {_CONFIG: text})


def _jobs(site: Site) -> list[Job]:
    """Our processes by their admin listeners; the programs by their own metrics."""
    return [
        Job(config.FAULTLINE, _targets(site.with_listener(ADMIN_PORT), ADMIN_PORT)),
        Job(config.SPAN_METRICS, _targets(site.of_service(JAEGER), SPAN_METRICS_PORT)),
        Job(JAEGER, _targets(site.of_service(JAEGER), TELEMETRY_PORT)),
        Job(PROMETHEUS, _targets(site.of_service(PROMETHEUS), HTTP_PORT)),
        Job(ALERTMANAGER, _targets(site.of_service(ALERTMANAGER), HTTP_PORT)),
    ]


def _targets(instances: list[Instance], listener: str) -> list[Target]:
    return [Target(each.address(listener), each.service, each.name) for each in instances]


if __name__ == "__main__":
    main(plan)
