"""The import contracts hold, and they would not if somebody broke them."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, modules

ROOMS = [package for package in PACKAGES if package != "tests"]
SERVICES = ("gateway", "orders", "inventory", "payments")


@dataclass(frozen=True)
class Plant:
    """An import that must not be; `contract` is the name of the contract that says so, up to its colon."""

    path: str
    contract: str
    text: str


STRAYS = (
    "services.utils",
    "services.chassis.utils",
    "services.chassis.http.helpers",
    "services.chassis.resilience.misc",
    "services.contracts.shared",
    *(f"services.{service}.utils" for service in SERVICES),
    "observability.utils",
    "observability.embedded.utils",
    "chaos.utils",
    "chaos.load.utils",
    "deploy.utils",
    "deploy.supervisor.utils",
)
"""Modules that nobody entered in a contract."""

WRONG_WAYS = [
    Plant("observability/semconv/attributes.py", "rooms", "import services.chassis.errors"),
    Plant("services/chassis/errors.py", "rooms", "import chaos.load"),
    Plant("services/chassis/errors.py", "rooms", "import deploy.topology"),
    Plant("services/chassis/errors.py", "services", "import services.contracts.errors"),
    Plant("services/contracts/errors.py", "services", "import services.chassis.errors"),
    Plant("services/contracts/errors.py", "rooms", "import chaos.load"),
    Plant("services/gateway/use_cases.py", "services", "import services.orders.domain"),
    Plant("services/orders/ports.py", "services", "import services.payments.domain"),
    Plant("services/chassis/service.py", "services", "import services.gateway.settings"),
    Plant("services/chassis/calls.py", "services", "import observability.embedded.waterfall"),
    Plant("services/chassis/resilience/deadline.py", "pure", "import aiohttp"),
    Plant("services/chassis/resilience/deadline.py", "pure", "import observability.semconv"),
    Plant("services/chassis/resilience/deadline.py", "services.chassis", "import services.chassis.settings"),
    Plant("services/orders/domain.py", "pure", "import sqlalchemy"),
    Plant("services/payments/use_cases.py", "pure", "import grpc"),
    Plant("services/orders/domain.py", "a service", "import services.orders.ports"),
    Plant("services/orders/use_cases.py", "a service", "import services.orders.repository"),
    Plant("observability/telemetry.py", "observability", "import fastapi"),
    Plant("chaos/load/plan.py", "rooms", "import services.contracts.errors"),
    Plant("chaos/load/plan.py", "rooms", "import deploy.topology"),
    Plant("deploy/topology.py", "deploy", "import services.orders.settings"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The rooms and the contracts, in a folder of their own."""
    folder = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        shutil.copytree(checkout / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(checkout / "pyproject.toml", folder)
    return folder


def test_the_contracts_hold(copy: Path) -> None:
    assert not broken(copy)


@pytest.fixture(scope="module")
def told_of_strays(copy: Path) -> Iterator[str]:
    """What the contracts say while all the strays are there."""
    files = [copy.joinpath(*stray.split(".")).with_suffix(".py") for stray in STRAYS]
    for file in files:
        file.touch()
    yield lint(copy)
    for file in files:
        file.unlink()


@pytest.mark.parametrize("stray", STRAYS)
def test_a_stray_module_breaks_its_packages_contract(stray: str, told_of_strays: str) -> None:
    assert re.search(rf"^- {re.escape(stray)}$", told_of_strays, re.MULTILINE)


@pytest.mark.parametrize("plant", WRONG_WAYS, ids=lambda plant: f"{plant.path}: {plant.text}")
def test_an_import_in_a_wrong_direction_breaks_a_contract(plant: Plant, copy: Path) -> None:
    path = copy / plant.path
    before = path.read_text()
    path.write_text(f"{before}\n{plant.text}\n")
    try:
        assert plant.contract in broken(copy)
    finally:
        path.write_text(before)


def test_every_package_lists_its_modules(checkout: Path) -> None:
    """So that there is no folder in which a stray could hide; generated code lists itself."""
    contracts = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = {name for each in contracts if each.get("exhaustive") for name in each["containers"]}
    holding = {path.parent.parent for path in modules(checkout) if path.name == "__init__.py"}
    holding |= {path.parent for path in modules(checkout) if path.name != "__init__.py"}
    packages = {".".join(folder.parts) for folder in holding if folder.parts and folder.parts[0] in ROOMS}
    unlisted = {package for package in packages - listed if not _holds_only_stubs(checkout, package)}
    assert not unlisted


def test_observability_runs_without_a_web_framework() -> None:
    """Not only its imports: what those import in turn."""
    script = """
import sys
for name in ("fastapi", "starlette", "aiohttp", "sqlalchemy", "uvicorn"):
    sys.modules[name] = None
import observability.telemetry
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def broken(folder: Path) -> set[str]:
    """The names, up to their colon, of the contracts that are broken there."""
    found = re.findall(r"^(.*?)(?::.*)? BROKEN$", lint(folder), re.MULTILINE)
    return set(found)


def lint(folder: Path) -> str:
    """What the contracts say of the packages there; wide, so that a contract's name is on one line."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"COLUMNS": "400"})
    assert done.returncode == (1 if " BROKEN" in done.stdout else 0), done.stdout + done.stderr
    return done.stdout


def _holds_only_stubs(checkout: Path, package: str) -> bool:
    folder = checkout.joinpath(*package.split("."))
    others = [each for each in folder.iterdir() if each.suffix == ".py" and "_pb2" not in each.name]
    return any("_pb2" in each.name for each in folder.iterdir()) and [each.name for each in others] == ["__init__.py"]
