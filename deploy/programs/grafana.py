"""`python -m deploy.programs.grafana`: Grafana with our data sources and dashboards, for whoever is on this machine."""

from pathlib import Path
from typing import Final

from deploy.programs.become import Start, main
from deploy.programs.catalogue import ALERTMANAGER, HTTP_PORT, JAEGER, PROFILE, PROMETHEUS, QUERY_PORT
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Site
from deploy.topology import BACKEND
from observability import stack
from observability.stack import objectives

_OURS: Final = Path(stack.__file__).parent / "grafana"
_PACKAGED_HOME: Final = Path("/usr/share/grafana")


def plan(settings: ProgramSettings, site: Site) -> Start:
    """Its configuration, all of it in the environment, and arguments.

    https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/
    """
    own = site.own
    environment = {
        "GF_SERVER_HTTP_ADDR": own.host,
        "GF_SERVER_HTTP_PORT": str(own.listeners[HTTP_PORT]),
        "GF_PATHS_DATA": str(settings.data_folder / "data"),
        "GF_PATHS_LOGS": str(settings.data_folder / "logs"),
        "GF_PATHS_PROVISIONING": str(_OURS / "provisioning"),
        # Only this machine reaches it; to look, and to explore, needs no password.
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_USERS_VIEWERS_CAN_EDIT": "true",
        # Nobody can keep a change: dashboards are code. A data folder of earlier may have an administrator yet, whose
        # password everybody knows; so there is no way to log in either.
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
        "GF_AUTH_DISABLE_LOGIN_FORM": "true",
        "GF_AUTH_BASIC_ENABLED": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",  # it would fetch some from elsewhere, and none is used
        "GF_LOG_MODE": "console",
        "GF_LOG_LEVEL": "warn",
        **_addresses(site),
    }
    server = ("server",) if settings.program_file.name == "grafana" else ()
    return Start([*server, f"--homepath={_home(settings.program_file)}"], {}, environment)


def _addresses(site: Site) -> dict[str, str]:
    """What the provisioning names; a source that does not run has an address that nobody answers at."""
    jaeger = site.url(JAEGER, QUERY_PORT) or site.url(BACKEND, QUERY_PORT)
    return {
        "PROMETHEUS_URL": site.url(PROMETHEUS, HTTP_PORT) or "http://127.0.0.1:9090",
        "ALERTMANAGER_URL": site.url(ALERTMANAGER, HTTP_PORT) or "http://127.0.0.1:9093",
        "JAEGER_URL": jaeger or "http://127.0.0.1:16686",
        "PROMETHEUS_SCRAPE_INTERVAL": objectives.load_all().profiles[PROFILE].scrape_interval,
        "GRAFANA_DASHBOARDS": str(_OURS / "dashboards"),
    }


def _home(file: Path) -> Path:
    """Where its pages are: beside the `bin` that it was unpacked into, or where packages put them."""
    unpacked = file.resolve().parent.parent
    return unpacked if (unpacked / "public").is_dir() else _PACKAGED_HOME


if __name__ == "__main__":
    main(plan)
