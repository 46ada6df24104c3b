"""Starts orders: `python -m services.orders`."""

from services.chassis.service import main
from services.orders.bootstrap import NAME, bootstrap
from services.orders.settings import OrdersSettings

if __name__ == "__main__":
    main(NAME, OrdersSettings, bootstrap)
