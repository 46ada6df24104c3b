"""Starts payments: `python -m services.payments`."""

from services.chassis.service import main
from services.payments.bootstrap import NAME, bootstrap
from services.payments.settings import PaymentsSettings

if __name__ == "__main__":
    main(NAME, PaymentsSettings, bootstrap)
