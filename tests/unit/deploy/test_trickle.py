import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.load import settings
from deploy import trickle
from deploy.errors import UsageError
from deploy.supervisor.plan import Plan, Site
from deploy.supervisor.request import DEFAULT_TOPOLOGY, Request
from deploy.supervisor.state import StateFolder
from deploy.topology import FAULTLINE
from deploy.trickle import with_load

SITE = Site(StateFolder(Path("/tmp/state")), "127.0.0.1", "token-of-the-run", 7.5)


def environments(replicas: dict[str, int]) -> dict[str, dict[str, str]]:
    plan = Plan(with_load(FAULTLINE, 12.5), replicas)
    return {each.instance: dict(each.environment) for each in plan.children(plan.fixed_ports(lambda: 30_001), SITE)}


def test_load_is_the_last_process_and_gets_what_it_needs() -> None:
    found = environments({"gateway": 2})
    assert list(found)[-1] == "load-1"
    assert found["load-1"] == {
        "BIND_HOST": "127.0.0.1",
        "SERVICE_INSTANCE_ID": "load-1",
        "DRAIN_TIMEOUT_S": "7.5",
        "ADMIN_PORT": "9086",
        "GATEWAY_TARGETS": "http://127.0.0.1:8080,http://127.0.0.1:30001",
        "CLIENT_KEYS_FILE": "/tmp/state/client-keys.json",
        "LOAD_RPS": "12.5",
    }


def test_a_new_inventory_is_not_sold_out_by_it() -> None:
    assert int(environments({})["inventory-1"]["CATALOGUE_STOCK"]) >= 10_000_000


def test_no_other_port_is_taken() -> None:
    ports = [each.port for process in with_load(FAULTLINE, 1).processes for each in process.listeners]
    assert len(set(ports)) == len(ports)
    assert FAULTLINE.control_port not in ports


@pytest.mark.parametrize("rps", [0, -1, 0.001, 101, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rps: float) -> None:
    with pytest.raises(UsageError, match=r"is not within 0\.01\.\.100 requests per second"):
        with_load(FAULTLINE, rps)


def test_a_topology_without_a_gateway_is_refused() -> None:
    without = replace(FAULTLINE, processes=FAULTLINE.processes[:2])
    with pytest.raises(UsageError, match="has no gateway; processes: faultline-backend, payments"):
        with_load(without, 1)


def test_the_rates_are_those_that_the_process_takes() -> None:
    assert (trickle.LEAST_RPS, trickle.MOST_RPS) == (settings.LEAST_RPS, settings.MOST_RPS)


def test_the_supervisor_does_not_carry_the_load_generator() -> None:
    asked = "import sys, deploy.supervisor.bootstrap; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert not {"aiohttp", "chaos"} & set(modules)


def test_there_is_one_of_it_only() -> None:
    with pytest.raises(UsageError, match="there can be only one load, as its rate is for all together"):
        Plan(with_load(FAULTLINE, 1), {"load": 2})


def test_it_runs_only_where_it_is_asked_for() -> None:
    def names(request: Request) -> list[str]:
        return [each.name for each in request.find_topology().processes]

    asked = Request(Path("/tmp/state"), topology=DEFAULT_TOPOLOGY, load_rps=1)
    assert "load" in names(asked)
    assert "load" not in names(replace(asked, load_rps=None))
