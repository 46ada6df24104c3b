"""Keeps the contracts as they are now: `python -m tests.contract.snapshots` (`make snapshots`).

Refuses what would break callers, unless `--break` says that there are none.
"""

import sys
from collections.abc import Sequence

from tests.contract.snapshots.contracts import CONTRACTS, Contract
from tests.contract.snapshots.verdict import breaking_changes, complaint


def main(arguments: Sequence[str], contracts: Sequence[Contract] = CONTRACTS) -> int:
    """0 when all are kept, 1 when one was refused."""
    refused = [each for each in contracts if breaking_changes(each) and "--break" not in arguments]
    for contract in contracts:
        if contract in refused:
            print(complaint(contract), file=sys.stderr)
        elif complaint(contract):
            contract.keep()
            print(f"{contract.file.name} is kept as it is now")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
