"""The invariants of a finished run, proven from what its services stored: read-only, by SQL, at rest.

`verify` is the way in. `tables` says which columns are read, `evidence` is what was read, `checks` are the invariants,
`report` and `table` tell what was found. On the command line: `python -m chaos.invariants --state DIR`.
"""

from chaos.invariants.acknowledged import Acknowledged, Status, read_acknowledged, status_of_answer
from chaos.invariants.checks import INVARIANTS
from chaos.invariants.errors import AcknowledgedError, InvariantsError, StoreError
from chaos.invariants.report import Checked, Report
from chaos.invariants.stores import databases_in, parse_address
from chaos.invariants.verification import verify
from chaos.invariants.violation import Violation

__all__ = [
    "INVARIANTS",
    "Acknowledged",
    "AcknowledgedError",
    "Checked",
    "InvariantsError",
    "Report",
    "Status",
    "StoreError",
    "Violation",
    "databases_in",
    "parse_address",
    "read_acknowledged",
    "status_of_answer",
    "verify",
]
