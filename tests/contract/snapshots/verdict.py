"""What is to be said of a contract that is not what was kept of it."""

from collections.abc import Sequence

from tests.contract.snapshots.change import Change
from tests.contract.snapshots.contracts import Contract


def breaking_changes(contract: Contract) -> Sequence[Change]:
    """Those between what is kept and what is now; none of a contract that is new."""
    return contract.compare(contract.kept(), contract.now()) if contract.file.exists() else ()


def complaint(contract: Contract) -> str:
    """Why the build fails, and what is to be done; empty while all is as it was kept."""
    if changes := breaking_changes(contract):
        listed = "".join(f"\n  {each}" for each in changes)
        return (
            f"{contract.name} ({contract.file.name}) has {len(changes)} breaking changes:{listed}\n"
            "Callers of what is published need it as it was: keep that, and offer the other beside it, or as a new "
            "version. Only what nobody uses yet may be broken: `make snapshots ARGS=--break`."
        )
    if not contract.file.exists() or contract.kept() != contract.now():
        return f"{contract.name} has changed, and nobody is broken by it: run `make snapshots` and commit the result."
    return ""
