"""The exporter of OpenTelemetry's JavaScript SDK, as programs in Node have it, against a real backend."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.unit.embedded.running import running
from tests.unit.embedded.test_javascript_exporter import check

PACKAGES: Final = (
    "@opentelemetry/api@1.9.0",
    "@opentelemetry/exporter-trace-otlp-http@0.223.1",
    "@opentelemetry/resources@2.12.1",
    "@opentelemetry/sdk-trace-base@2.12.1",
)
_INSTALL: Final = (
    "install",
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--fetch-retries=0",
    "--loglevel=error",
)
_SCRIPT: Final = Path(__file__).with_name("export.mjs")


@pytest.fixture(scope="module")
def program(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside its packages, which are fetched once and kept in `build`."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)} on this machine (Debian: apt-get install nodejs npm)")
    kept = checkout / "build" / "npm" / "-".join(each.rpartition("@")[2] for each in PACKAGES)
    if not kept.exists():
        _fetch(tmp_path_factory.mktemp("npm"), kept)
    return Path(shutil.copy(_SCRIPT, kept))


def _fetch(folder: Path, kept: Path) -> None:
    (folder / "package.json").write_text('{"private": true}')
    try:
        asked = ["npm", *_INSTALL, *PACKAGES]
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not get {', '.join(PACKAGES)} within 60 s")
    if done.returncode:
        pytest.skip(f"npm cannot get {', '.join(PACKAGES)}: {' '.join(done.stderr.split())[-300:]}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.move(folder, kept)
    except OSError:  # another run was quicker
        assert kept.exists()


def test_its_spans_are_taken(program: Path) -> None:
    with running() as backend:
        address = f"http://127.0.0.1:{backend.otlp_http_port}/v1/traces"
        # What the shell says to exporters must not lead it elsewhere.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        done = subprocess.run(
            ["node", str(program), address], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        (trace,) = backend.get(f"/api/traces/{done.stdout.strip()}").json()["data"]
        assert backend.counted("refused") == 0
    check(trace)
