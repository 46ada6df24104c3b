"""`python -m deploy.programs.alertmanager`: Alertmanager, which Prometheus sends its alerts to."""

from typing import Final

import yaml

from deploy.programs.become import Start, main
from deploy.programs.catalogue import ALERTS, HTTP_PORT
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Site

_CONFIG: Final = "alertmanager.yml"
_RETENTION: Final = "--data.retention=24h"
_RECEIVER: Final = "faultline"


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
    return Start(arguments, {_CONFIG: _config(site.url(ALERTS, HTTP_PORT))})


def _config(receiver_url: str | None) -> str:
    """Everything goes to our own receiver, soon and in groups; to nobody where it does not run."""
    route = {
        "receiver": _RECEIVER,
        "group_by": ["alertname", "service"],
        "group_wait": "1s",
        "group_interval": "5s",
        "repeat_interval": "5m",
    }
    webhooks = [{"url": f"{receiver_url}/notifications", "send_resolved": True}] if receiver_url else []
    return yaml.safe_dump({"route": route, "receivers": [{"name": _RECEIVER, "webhook_configs": webhooks}]})


if __name__ == "__main__":
    main(plan)
