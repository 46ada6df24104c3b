"""The version of what runs."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("faultline")
    except PackageNotFoundError:
        return "0.0.0"  # run from a tree that is not installed


VERSION = _installed()
