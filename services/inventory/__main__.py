"""Starts the inventory: `python -m services.inventory`."""

from services.chassis.service import main
from services.inventory.bootstrap import NAME, bootstrap
from services.inventory.settings import InventorySettings

if __name__ == "__main__":
    main(NAME, InventorySettings, bootstrap)
