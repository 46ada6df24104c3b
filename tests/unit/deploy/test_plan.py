from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from deploy.errors import StateError, UsageError
from deploy.supervisor.plan import Plan, Site
from deploy.supervisor.state import StateFolder
from deploy.topology import FAULTLINE

SITE = Site(StateFolder(Path("/tmp/a state")), "127.0.0.1", "token-of-the-run", 7.5)


def environment(plan: Plan, instance: str) -> dict[str, str]:
    ports = plan.fixed_ports(lambda: next(FREE))
    return {each.instance: dict(each.environment) for each in plan.children(ports, SITE)}[instance]


FREE = count(30_001)


def test_orders_gets_everything_it_needs_and_no_more() -> None:
    assert environment(Plan(FAULTLINE), "orders-1") == {
        "BIND_HOST": "127.0.0.1",
        "SERVICE_INSTANCE_ID": "orders-1",
        "DRAIN_TIMEOUT_S": "7.5",
        "HTTP_PORT": "8081",
        "ADMIN_PORT": "9081",
        "CONTROL_PORT": "9181",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317",
        "INVENTORY_TARGETS": "127.0.0.1:50051",
        "PAYMENTS_TARGETS": "127.0.0.1:50052",
        "DATABASE_URL": "sqlite+aiosqlite:////tmp/a state/data/orders.db",
        "CONTROL_TOKEN": "token-of-the-run",
        "POLICIES_FILE": "/tmp/a state/policies/orders-1.json",
        "FAULT_INJECTION_ENABLED": "true",
    }


def test_the_gateway_gets_the_keys_and_no_database() -> None:
    found = environment(Plan(FAULTLINE), "gateway-1")
    assert found["API_KEYS_FILE"] == "/tmp/a state/api-keys.json"
    assert found["ORDERS_TARGETS"] == "http://127.0.0.1:8081"
    assert "DATABASE_URL" not in found


def test_a_process_without_a_control_listener_gets_no_token() -> None:
    assert "CONTROL_TOKEN" not in environment(Plan(FAULTLINE), "faultline-backend-1")


def test_the_backend_is_told_where_logs_are() -> None:
    assert environment(Plan(FAULTLINE), "faultline-backend-1")["LOGS_CONTROL_FILE"] == "/tmp/a state/control.json"
    assert "LOGS_CONTROL_FILE" not in environment(Plan(FAULTLINE), "orders-1")


def test_who_watches_is_told_of_every_admin_listener_and_where_the_token_is() -> None:
    found = environment(Plan(FAULTLINE, {"orders": 2}), "faultline-alerts-1")
    assert found["NOTIFICATIONS_TOKEN_FILE"] == "/tmp/a state/notifications-token"
    assert (found["HTTP_PORT"], found["ADMIN_PORT"], found["ALERTS_PROFILE"]) == ("8902", "9085", "demo")
    targets = dict(each.split("=") for each in found["SCRAPE_TARGETS"].split(","))
    assert targets["gateway/gateway-1"] == "127.0.0.1:9080"
    assert targets["faultline-alerts/faultline-alerts-1"] == "127.0.0.1:9085"
    assert set(targets) >= {"orders/orders-1", "orders/orders-2", "faultline-backend/faultline-backend-1"}


def test_the_backend_keeps_traces_only_where_it_is_to() -> None:
    plan = Plan(FAULTLINE)
    ports = plan.fixed_ports(lambda: next(FREE))
    keeping = {each.instance: each.environment for each in plan.children(ports, replace(SITE, keep_traces=True))}
    assert keeping["faultline-backend-1"]["TRACES_FILE"] == "/tmp/a state/data/traces.bin"
    assert [name for name, each in keeping.items() if "TRACES_FILE" in each] == ["faultline-backend-1"]
    assert "TRACES_FILE" not in environment(plan, "faultline-backend-1")


def test_settings_of_the_run_are_every_process_but_a_topology_has_the_last_word() -> None:
    quiet = replace(FAULTLINE.processes[0], settings={"TRACE_SAMPLE_RATIO": "1"})
    plan = Plan(replace(FAULTLINE, processes=(quiet, *FAULTLINE.processes[1:])))
    ports = plan.fixed_ports(lambda: next(FREE))
    site = replace(SITE, settings={"TRACE_SAMPLE_RATIO": "0.1"})
    ratios = {each.service: each.environment["TRACE_SAMPLE_RATIO"] for each in plan.children(ports, site)}
    assert ratios.pop(quiet.name) == "1"
    assert set(ratios.values()) == {"0.1"}


def test_replicas_share_a_database_and_are_all_told_to_callers() -> None:
    plan = Plan(FAULTLINE, {"inventory": 2})
    first, second, gateway = (environment(plan, each) for each in ("inventory-1", "inventory-2", "gateway-1"))
    assert first["DATABASE_URL"] == second["DATABASE_URL"]
    assert first["GRPC_PORT"] == "50051"
    address, further = gateway["INVENTORY_TARGETS"].split(",")
    assert address == "127.0.0.1:50051"
    assert further.startswith("127.0.0.1:300")


def test_a_database_may_be_elsewhere() -> None:
    url = "postgresql+asyncpg://faultline:a%2Fsecret-of-its-own@127.0.0.1/orders"
    plan = Plan(FAULTLINE, databases={"orders": url})
    assert environment(plan, "orders-1")["DATABASE_URL"] == url
    assert environment(plan, "payments-1")["DATABASE_URL"].endswith("/data/payments.db")
    assert "DATABASE_URL" not in environment(plan, "gateway-1")
    assert plan.secrets == {"a/secret-of-its-own"}


@pytest.mark.parametrize("name", ["users", "gateway"])
def test_a_database_of_what_has_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"databases: '{name}' is no process with a database; .*orders"):
        Plan(FAULTLINE, databases={name: "sqlite+aiosqlite:////tmp/x.db"})


def test_free_ports_are_all_taken_from_the_source() -> None:
    free = count(20_000)
    ports = Plan(FAULTLINE).free_ports(lambda: next(free))
    assert sorted(ports.values()) == list(range(20_000, 20_000 + len(ports)))


@pytest.mark.parametrize(("replicas", "said"), [({"users": 2}, "no process 'users'"), ({"orders": 0}, "orders=0")])
def test_impossible_replicas_are_refused(replicas: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Plan(FAULTLINE, replicas)


def test_a_folder_that_no_database_address_can_name_is_refused() -> None:
    with pytest.raises(StateError, match="cannot be written in a database address"):
        StateFolder(Path("/tmp/what?")).database_url("orders")


def test_the_described_system_has_the_addresses_that_people_need() -> None:
    plan = Plan(FAULTLINE)
    described = plan.describe(plan.fixed_ports(lambda: 0), "127.0.0.1", "http://127.0.0.1:8900")
    assert described["gateway_url"] == "http://127.0.0.1:8080"
    assert described["docs_url"] == "http://127.0.0.1:8080/api/v1/docs"
    assert described["query_url"] == "http://127.0.0.1:16686"
    assert described["metrics_url"] == "http://127.0.0.1:9080/metrics"
    assert {"caller": "gateway", "callee": "orders", "kind": "rest"} in described["edges"]
