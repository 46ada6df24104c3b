"""The stubs are those of the protos."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROTOS = ("inventory/v1/inventory", "money/v1/money", "payments/v1/payments")


@pytest.fixture(scope="module")
def generated(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with stubs made from the protos just now."""
    folder = tmp_path_factory.mktemp("stubs")
    kinds = ("python", "grpc_python", "mypy", "mypy_grpc")
    outputs = [f"--{kind}_out={folder}" for kind in kinds]
    protos = [f"services/contracts/{each}.proto" for each in PROTOS]
    # Beside this interpreter are the plugins that write the types.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", ".", *outputs, *protos]
    subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)
    return folder / "services" / "contracts"


def test_no_proto_is_forgotten(checkout: Path) -> None:
    folder = checkout / "services" / "contracts"
    assert {str(each.relative_to(folder)) for each in folder.rglob("*.proto")} == {f"{each}.proto" for each in PROTOS}


@pytest.mark.parametrize("proto", PROTOS)
@pytest.mark.parametrize("ending", ["_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi"])
def test_the_stubs_are_fresh(checkout: Path, generated: Path, proto: str, ending: str) -> None:
    kept = checkout / "services" / "contracts" / f"{proto}{ending}"
    assert kept.read_text() == (generated / f"{proto}{ending}").read_text(), "run `make proto`"
