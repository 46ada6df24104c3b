"""What is agreed on: one suite for a port's fake and its real adapter, and the contracts that are written down."""
