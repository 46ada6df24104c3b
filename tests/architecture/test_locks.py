"""The locks hold exactly what `pyproject.toml` asks for, so that installing needs no resolver and no trust."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.lockfile import Pin, closure, read_lock, wanted_by_project

EXTRAS = {"run": (), "dev": ("dev", "bench")}


@pytest.fixture(params=EXTRAS)
def lock(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pins(checkout: Path, lock: str) -> dict[str, Pin]:
    return read_lock(checkout / "requirements" / f"{lock}.lock")


@pytest.fixture
def wanted(checkout: Path, lock: str) -> list[Requirement]:
    return wanted_by_project(checkout / "pyproject.toml", *EXTRAS[lock])


def test_every_package_is_pinned_with_hashes(pins: dict[str, Pin]) -> None:
    assert pins
    for pin in pins.values():
        assert str(pin.requirement.specifier).startswith("=="), pin
        assert pin.hashes, f"{pin.name} has no hash"


def test_the_lock_is_complete(pins: dict[str, Pin], wanted: list[Requirement]) -> None:
    """Nothing that the project needs, directly or not, is absent or in a version it refuses."""
    for requirement in closure(wanted, on_this_machine=True):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is in no pin; run `make lock`"
        assert pin.is_for_this_machine, f"{requirement} is needed here, but its pin is not for here; run `make lock`"
        assert requirement.specifier.contains(pin.version, prereleases=True), (
            f"{requirement} is refused by {pin.name}=={pin.version}; run `make lock`"
        )


def test_the_lock_holds_nothing_else(pins: dict[str, Pin], wanted: list[Requirement]) -> None:
    needed = {canonicalize_name(each.name) for each in closure(wanted, on_this_machine=False)}
    assert set(pins) <= needed, f"nobody needs {sorted(set(pins) - needed)}; run `make lock`"


def test_the_environment_for_tests_is_the_one_for_running_with_more_in_it(checkout: Path) -> None:
    run, dev = (read_lock(checkout / "requirements" / f"{name}.lock") for name in ("run", "dev"))
    assert run.keys() <= dev.keys()
    for name, pin in run.items():
        assert (dev[name].version, dev[name].hashes) == (pin.version, pin.hashes)
