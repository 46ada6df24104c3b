"""Starts the gateway: `python -m services.gateway`."""

from services.chassis.service import main
from services.gateway.bootstrap import NAME, bootstrap
from services.gateway.settings import GatewaySettings

if __name__ == "__main__":
    main(NAME, GatewaySettings, bootstrap)
