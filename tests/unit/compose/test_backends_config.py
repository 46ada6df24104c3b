"""The backends' configuration fits the containers: who is scraped is there, and listens where it is looked for."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from deploy.compose import belongings
from observability.stack import compose, objectives
from observability.stack.grafana import provisioning
from observability.stack.jaeger.sampling import PROCESSOR
from tests.unit.compose.compose_file import CHECKOUT, LONG_RUNNING, OF_OURS, SERVICES, by_default, environment

STACK = CHECKOUT / "observability" / "stack"
PROMETHEUS: Mapping[str, Any] = yaml.safe_load((STACK / "prometheus" / "prometheus.yml").read_text())
JAEGERS: Mapping[str, Mapping[str, Any]] = {
    name: yaml.safe_load((STACK / "jaeger" / f"{name}.yaml").read_text()) for name in ("keep-all", "sampling")
}


def scraped(job: str) -> dict[str, Mapping[str, str]]:
    """Address → labels."""
    (found,) = (each for each in PROMETHEUS["scrape_configs"] if each["job_name"] == job)
    return {target: each["labels"] for each in found["static_configs"] for target in each["targets"]}


def test_all_of_ours_are_scraped_at_their_admin_listeners_as_who_they_are() -> None:
    ours = [name for name in LONG_RUNNING if name in OF_OURS]
    assert scraped("faultline") == {
        f"{name}:{environment(name)['ADMIN_PORT']}": {
            "service": name,
            "instance": environment(name)["SERVICE_INSTANCE_ID"],
        }
        for name in ours
    }


def test_everybody_who_is_scraped_is_there_and_on_the_same_network() -> None:
    for job in PROMETHEUS["scrape_configs"]:
        for address in scraped(job["job_name"]):
            assert "system" in SERVICES[address.partition(":")[0]]["networks"]


def test_jaeger_is_scraped_for_its_own_figures_and_for_those_of_spans() -> None:
    for config in JAEGERS.values():
        exporter = config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"]
        assert list(scraped("jaeger")) == [f"jaeger:{exporter['port']}"]
        assert list(scraped("jaeger-spanmetrics")) == [
            config["exporters"]["prometheus"]["endpoint"].replace("0.0.0.0", "jaeger")
        ]


@pytest.mark.parametrize("name", JAEGERS)
def test_spans_are_taken_where_the_services_send_them(name: str) -> None:
    protocols = JAEGERS[name]["receivers"]["otlp"]["protocols"]
    assert environment("payments")["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://jaeger:4317"
    assert protocols["grpc"]["endpoint"] == "0.0.0.0:4317"
    published = {each.split(":")[1] for each in SERVICES["jaeger"]["ports"]}
    listening = {
        protocols["grpc"]["endpoint"],
        protocols["http"]["endpoint"],
        JAEGERS[name]["extensions"]["jaeger_query"]["http"]["endpoint"],
    }
    assert {each.rpartition(":")[2] for each in listening} == published


def test_only_the_profile_samples_and_the_demonstration_keeps_everything() -> None:
    (option,) = SERVICES["jaeger"]["command"]
    assert by_default(option) == "--config=/etc/jaeger/keep-all.yaml"
    assert option.replace("${FAULTLINE_TRACES:-keep-all}", "sampling") == "--config=/etc/jaeger/sampling.yaml"
    assert PROCESSOR in JAEGERS["sampling"]["processors"]
    assert PROCESSOR not in JAEGERS["keep-all"]["processors"]


@pytest.mark.parametrize("name", JAEGERS)
def test_spans_are_counted_before_any_is_dropped(name: str) -> None:
    pipelines = JAEGERS[name]["service"]["pipelines"]
    assert pipelines["traces"]["receivers"] == ["otlp"]
    assert pipelines["traces"]["processors"] == ["batch"]
    assert "spanmetrics" in pipelines["traces"]["exporters"]


def test_the_rules_are_where_prometheus_looks_for_them() -> None:
    targets = {each.split(":")[1]: each.split(":")[0] for each in SERVICES["prometheus"]["volumes"]}
    assert PROMETHEUS["rule_files"] == [compose.RULES]
    assert targets[compose.RULES] == f"./observability/stack/prometheus/rules.{compose.PROFILE}.yml"
    assert "--config.file=/etc/prometheus/prometheus.yml" in SERVICES["prometheus"]["command"]


def test_grafana_is_told_all_that_its_provisioning_asks_for() -> None:
    given = environment("grafana")
    assert set(provisioning.ENVIRONMENT) <= given.keys()
    for name in provisioning.ADDRESSES.values():
        container, port = given[name].removeprefix("http://").split(":")
        if container in SERVICES:
            assert "system" in SERVICES[container]["networks"]
            assert f"127.0.0.1:{port}:{port}" in SERVICES[container]["ports"]
    assert given[provisioning.SCRAPE_INTERVAL] == objectives.load_all().profiles[compose.PROFILE].scrape_interval
    targets = {each.split(":")[1] for each in SERVICES["grafana"]["volumes"]}
    assert {given[provisioning.DASHBOARDS_FOLDER], "/etc/grafana/provisioning"} <= targets


def test_grafanas_first_page_is_a_dashboard() -> None:
    home = environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (STACK / "grafana" / "dashboards" / home.rpartition("/")[2]).exists()


def test_whoever_looks_at_grafana_may_explore_and_only_the_first_start_knows_its_administrator() -> None:
    given = environment("grafana")
    assert (given["GF_AUTH_ANONYMOUS_ORG_ROLE"], given["GF_USERS_VIEWERS_CAN_EDIT"]) == ("Viewer", "true")
    assert given["GF_SECURITY_ADMIN_PASSWORD__FILE"].startswith("/run/faultline/")
    assert given["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


def test_prometheus_sends_its_alerts_to_alertmanager() -> None:
    (found,) = PROMETHEUS["alerting"]["alertmanagers"]
    assert found["static_configs"][0]["targets"] == list(scraped("alertmanager")) == ["alertmanager:9093"]
    assert "127.0.0.1:9093:9093" in SERVICES["alertmanager"]["ports"]


def test_alertmanager_tells_our_receiver_with_the_token_that_both_have() -> None:
    config = yaml.safe_load((STACK / "alertmanager" / "alertmanager.yml").read_text())
    (receiver,) = config["receivers"]
    (webhook,) = receiver["webhook_configs"]
    ours = environment("faultline-alerts")
    assert webhook["url"] == f"http://faultline-alerts:{ours['HTTP_PORT']}/notifications"
    made = belongings.Made("t" * 32, dict.fromkeys(belongings.everybody(), "p" * 32), ())
    handed_out = belongings.folders(made)
    (name,) = handed_out["alertmanager"]
    assert webhook["http_config"]["authorization"]["credentials_file"] == f"/run/faultline/alertmanager/{name}"
    assert ours["NOTIFICATIONS_TOKEN_FILE"] == f"/run/faultline/faultline-alerts/{name}"
    assert handed_out["alertmanager"] == handed_out["faultline-alerts"]


def test_the_same_profile_is_used_by_all() -> None:
    assert environment("faultline-alerts")["ALERTS_PROFILE"] == compose.PROFILE
