"""`python -m deploy.programs.alertmanager`: Alertmanager, which Prometheus sends its alerts to."""

from typing import Final

import yaml

from deploy.programs.become import Start, main
from deploy.programs.catalogue import HTTP_PORT
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Site

_CONFIG: Final = "alertmanager.yml"
_RETENTION: Final = "--data.retention=24h"


def plan(settings: ProgramSettings, site: Site) -> Start:
    """Its configuration and arguments."""
    address = site.own.address(HTTP_PORT)
    arguments = (
        f"--config.file={settings.data_folder / _CONFIG}",
        f"--storage.path={settings.data_folder / 'data'}",
        _RETENTION,
        f"--web.listen-address={address}",
        f"--web.external-url=http://{address}",
        "--cluster.listen-address=",  # one is enough: no others are looked for
        "--log.level=warn",
    )
    return Start(arguments, {_CONFIG: _config()})


def _config() -> str:
    return yaml.safe_dump({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]})


if __name__ == "__main__":
    main(plan)
