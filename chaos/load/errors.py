"""The load generator's errors, one tree.

LoadError
├── PlanError         a plan that cannot be: names the field and what it may be
├── TargetError       an address that load must not be sent to
└── CatalogueError    the gateway did not list its products
"""


class LoadError(Exception):
    """Root of what this package raises on purpose. The text is one line, for people."""


class PlanError(LoadError):
    """A field of the plan is out of its limits."""


class TargetError(LoadError):
    """The address is not on this machine, or not an address."""


class CatalogueError(LoadError):
    """The products to ask for could not be read."""
