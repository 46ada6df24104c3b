"""What Grafana finds when it starts: data sources that lead to each other, and the dashboards."""

import re
from typing import Any

import pytest
import yaml

from deploy.topology import BACKEND, FAULTLINE
from observability import semconv
from observability.stack.generators import FOLDER
from observability.stack.grafana import frame, provisioning

FOLDER_OF_GRAFANA = FOLDER / "grafana" / "provisioning"

Document = dict[str, Any]


def read(name: str) -> Document:
    document: Document = yaml.safe_load((FOLDER_OF_GRAFANA / name).read_text("utf-8"))
    return document


def test_every_file_is_made_by_the_generator() -> None:
    there = {str(each.relative_to(FOLDER_OF_GRAFANA)) for each in FOLDER_OF_GRAFANA.rglob("*") if each.is_file()}
    assert there == set(provisioning.files())


@pytest.fixture
def sources() -> dict[str, Document]:
    """By uid."""
    return {each["uid"]: each for each in read("datasources/faultline.yml")["datasources"]}


@pytest.mark.parametrize("name", provisioning.files())
def test_the_first_line_names_what_made_it(name: str) -> None:
    text = (FOLDER_OF_GRAFANA / name).read_text("utf-8")
    assert text.startswith(f"# Made by `{frame.GENERATOR}`")
    assert read(name)["apiVersion"] == 1


def test_the_three_sources_are_there_and_one_is_the_first_choice(sources: dict[str, Document]) -> None:
    assert {uid: each["type"] for uid, each in sources.items()} == {
        "prometheus": "prometheus",
        "jaeger": "jaeger",
        "alertmanager": "alertmanager",
    }
    assert [uid for uid, each in sources.items() if each.get("isDefault")] == ["prometheus"]
    assert {each["access"] for each in sources.values()} == {"proxy"}


def test_an_exemplar_leads_to_its_trace(sources: dict[str, Document]) -> None:
    """To its page, which needs no permission; and within Grafana."""
    page, within = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert page["name"] == within["name"] == semconv.TRACE_ID
    assert within["datasourceUid"] in sources
    (query_port,) = [each.port for each in FAULTLINE.process(BACKEND).listeners if each.setting == "QUERY_PORT"]
    assert page["url"] == f"http://127.0.0.1:{query_port}/trace/$${{__value.raw}}"


def test_a_span_leads_to_the_metrics_of_its_service(sources: dict[str, Document]) -> None:
    found = sources["jaeger"]["jsonData"]["tracesToMetrics"]
    assert found["datasourceUid"] in sources
    assert found["tags"] == [{"key": semconv.SERVICE_NAME, "value": "service"}]
    assert all("{$$__tags}" in each["query"] for each in found["queries"])


def test_prometheus_alertmanager_is_told_from_grafanas_own(sources: dict[str, Document]) -> None:
    options = sources["alertmanager"]["jsonData"]
    assert options == {"implementation": "prometheus", "handleGrafanaManagedAlerts": False}


def test_addresses_come_from_the_environment_and_no_secret_is_there() -> None:
    for name in provisioning.files():
        text = (FOLDER_OF_GRAFANA / name).read_text("utf-8")
        assert not re.search(r"https?://|password|secureJsonData", text.replace(provisioning.TRACE_PAGE, ""))
        named = set(re.findall(r"(?<!\$)\$\{?([A-Z_]+)", text))
        assert named <= set(provisioning.ENVIRONMENT)
    assert set(provisioning.ENVIRONMENT) == {
        name
        for file in provisioning.files()
        for name in re.findall(r"(?<!\$)\$\{?([A-Z_]+)", (FOLDER_OF_GRAFANA / file).read_text("utf-8"))
    }


def test_dashboards_are_read_from_files_and_changes_by_hand_are_not_kept() -> None:
    (provider,) = read("dashboards/faultline.yml")["providers"]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == f"${provisioning.DASHBOARDS_FOLDER}"
