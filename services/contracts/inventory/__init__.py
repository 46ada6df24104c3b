"""The contract of the inventory service: catalogue and stock."""
