"""A real Prometheus over a running system, for as long as a test needs it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import yaml

from deploy.system import System
from deploy.topology import ADMIN_PORT
from tests.e2e.http_api import Api
from tests.integration.chassis.ports import HOST, free_port
from tests.waiting import eventually

PROGRAM = "prometheus"
REQUIRE = "FAULTLINE_REQUIRE_BACKENDS"
INTERVAL = "2s"
READY_WITHIN_S = 60.0
_END_PATIENCE_S = 20.0

Series = Mapping[str, Any]


def program() -> str:
    """Where it is. Skips the test where it is nowhere, saying so; fails it where it is required."""
    if found := shutil.which(PROGRAM):
        return found
    told = f"no {PROGRAM} on this machine"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{told}, and {REQUIRE}=1 requires it", pytrace=False)
    pytest.skip(told)


class Prometheus:
    """Its query API: https://prometheus.io/docs/prometheus/latest/querying/api/"""

    def __init__(self, url: str) -> None:
        self._api = Api(url)

    def ready(self) -> None:
        """Raises AssertionError or OSError while it is not."""
        assert self._api.get("/-/ready").status == 200

    def values(self, expression: str) -> list[float]:
        """The vector's values now, those left out that are no numbers (0/0)."""
        found: list[Series] = self._get("/api/v1/query", query=expression)["result"]
        values = (float(each["value"][1]) for each in found)
        return [each for each in values if each == each]  # noqa: PLR0124  # not a number is not itself

    def exemplars(self, expression: str, start_s: float, end_s: float) -> list[Series]:
        """Of the series that the expression names, between two times since 1970."""
        found = self._get("/api/v1/query_exemplars", query=expression, start=str(start_s), end=str(end_s))
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def rules(self) -> list[Series]:
        """Every rule, with `name`, `health` and `lastError`."""
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str, **parameters: str) -> Any:
        try:
            answer = self._api.get(f"{path}?{urlencode(parameters, quote_via=quote)}")
        except (OSError, HTTPException) as exc:
            raise AssertionError(f"{path}: {exc}") from exc
        assert answer.status == 200, f"{parameters}: {answer.body.decode()}"
        return answer.json()["data"]


@contextmanager
def over(system: System, folder: Path, rules: Sequence[Path]) -> Iterator[Prometheus]:
    """Scrapes every process of `system` and evaluates `rules`, until left; keeps its data in `folder`."""
    address = f"{HOST}:{free_port()}"
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(system, rules)))
    command = [
        program(),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as running:
        try:
            found = Prometheus(f"http://{address}")
            eventually(lambda: _ready(found, running, folder), READY_WITHIN_S)
            yield found
        finally:
            running.terminate()
            _end(running)


def _ready(found: Prometheus, running: "subprocess.Popen[bytes]", folder: Path) -> None:
    if running.poll() is not None:
        pytest.fail((folder / "prometheus.log").read_text(), pytrace=False)
    try:
        found.ready()
    except OSError as exc:
        raise AssertionError(str(exc)) from exc


def _end(running: "subprocess.Popen[bytes]") -> None:
    try:
        running.wait(_END_PATIENCE_S)
    except subprocess.TimeoutExpired:
        running.kill()


def _configuration(system: System, rules: Sequence[Path]) -> dict[str, Any]:
    targets = [
        {
            "targets": [f"{each['host']}:{each['listeners'][ADMIN_PORT]}"],
            "labels": {"service": each["service"], "instance": each["instance"]},
        }
        for each in system.topology["processes"]
        if ADMIN_PORT in each["listeners"]
    ]
    return {
        "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
        "storage": {"exemplars": {"max_exemplars": 20_000}},
        "rule_files": [str(each) for each in rules],
        "scrape_configs": [{"job_name": "faultline", "static_configs": targets}],
    }
