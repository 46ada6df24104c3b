"""`python -m deploy.programs.alertmanager`: Alertmanager, which Prometheus sends its alerts to."""

from pathlib import Path
from typing import Final

import yaml

from deploy.programs.become import Start, main
from deploy.programs.catalogue import HTTP_PORT, PROFILE
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Site
from deploy.topology import ALERTS
from observability.stack import objectives
from observability.stack.alertmanager import Receiver, render

_CONFIG: Final = "alertmanager.yml"
_RETENTION: Final = "--data.retention=24h"
_NOBODY: Final = "nobody"


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
    return Start(arguments, {_CONFIG: _config(site.url(ALERTS, HTTP_PORT), settings.notifications_token_file)})


def _config(receiver_url: str | None, token_file: Path | None) -> str:
    """Everything goes to our own receiver; to nobody where it does not run."""
    if receiver_url is None or token_file is None:
        return yaml.safe_dump({"route": {"receiver": _NOBODY}, "receivers": [{"name": _NOBODY}]})
    slo = objectives.load_all()
    return render(slo, slo.profiles[PROFILE], Receiver(f"{receiver_url}/notifications", str(token_file)))


if __name__ == "__main__":
    main(plan)
