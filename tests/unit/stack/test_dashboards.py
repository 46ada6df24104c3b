"""Dashboards can be read by somebody who sees them for the first time, and lead on to each other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from observability import semconv
from observability.stack.grafana import chaos, cost, edges, frame, generator, overview, resilience
from tests.unit.stack.expressions import dashboard_files
from tests.unit.stack.names import OF_TARGETS, OURS

Document = dict[str, Any]

WITHOUT_VALUES = {"row", "text"}
UIDS = {
    "overview": frame.OVERVIEW,
    "edges": frame.EDGES,
    "resilience": frame.RESILIENCE,
    "chaos": frame.CHAOS,
    "cost": frame.COST,
}
LABELS = {label for metric in OURS for label in metric.prometheus_labels} | OF_TARGETS
RECORDED = {"slo", "alertname", "severity"}

each_file = pytest.mark.parametrize("file", dashboard_files(), ids=lambda file: file.stem)


def read(file: Path) -> Document:
    document: Document = json.loads(file.read_text("utf-8"))
    return document


def panels(document: Document) -> Iterator[Document]:
    """Those that show values."""
    return (each for each in document["panels"] if each["type"] not in WITHOUT_VALUES)


def test_each_dashboard_is_known_by_its_name() -> None:
    assert {file.stem: read(file)["uid"] for file in dashboard_files()} == UIDS
    assert set(generator.dashboards()) == set(UIDS)
    assert {each.__name__.rpartition(".")[2] for each in (overview, edges, resilience, chaos, cost)} == set(UIDS)


@each_file
def test_the_first_line_names_what_made_it(file: Path) -> None:
    assert frame.GENERATOR in file.read_text("utf-8").splitlines()[0]


@each_file
def test_it_says_which_question_it_answers(file: Path) -> None:
    assert "?" in read(file)["description"]


@each_file
def test_every_panel_says_what_is_seen_and_in_which_unit(file: Path) -> None:
    for panel in panels(read(file)):
        assert len(panel["description"]) > 25, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        assert panel["targets"], panel["title"]


@each_file
def test_every_series_has_a_legend(file: Path) -> None:
    for panel in panels(read(file)):
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


@each_file
def test_legends_name_labels_that_the_expression_keeps(file: Path) -> None:
    for panel in panels(read(file)):
        for target in panel["targets"]:
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert shown <= LABELS | RECORDED, panel["title"]
            for label in shown:
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), f"{panel['title']}: {label}"


@each_file
def test_titles_and_numbers_are_told_apart(file: Path) -> None:
    document = read(file)
    for attribute in ("id", "title"):
        found = [each[attribute] for each in panels(document)]
        assert len(set(found)) == len(found)


@each_file
def test_panels_fill_the_grid_and_do_not_overlap(file: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in read(file)["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    depth = max(y for _, y in taken) + 1
    assert len(taken) == 24 * depth, "there are holes"


@each_file
def test_slow_requests_lead_to_their_traces(file: Path) -> None:
    """Wherever the slowest are shown, single ones can be opened."""
    document = read(file)
    slowest = [
        target
        for panel in panels(document)
        for target in panel["targets"]
        if target["expr"].startswith("histogram_quantile(0.99")
    ]
    assert all(target["exemplar"] for target in slowest)
    assert slowest or document["uid"] in {frame.RESILIENCE, frame.COST}


@each_file
def test_variables_are_used_and_defined(file: Path) -> None:
    document = read(file)
    defined = {each["name"] for each in document["templating"]["list"]}
    asked = " ".join(target["expr"] for panel in panels(document) for target in panel["targets"])
    variables = " ".join(str(each["query"]) for each in document["templating"]["list"])
    used = set(re.findall(r"\$(\w+)", f"{asked} {variables}")) - {"__rate_interval", "__range"}
    assert used == defined


@each_file
def test_links_lead_to_dashboards_and_set_variables_that_they_have(file: Path) -> None:
    there = {each["uid"]: {one["name"] for one in each["templating"]["list"]} for each in map(read, dashboard_files())}
    document = read(file)
    found = [
        link for panel in panels(document) for link in panel["fieldConfig"]["defaults"].get("links", ()) if link["url"]
    ]
    for link in found:
        address = urlsplit(link["url"])
        uid = address.path.removeprefix("/d/")
        assert uid in there, link
        asked = {name.removeprefix("var-") for name in parse_qs(address.query) if name.startswith("var-")}
        assert asked <= there[uid], link
    (all_of_them,) = document["links"]
    assert (all_of_them["type"], all_of_them["tags"], all_of_them["keepTime"]) == ("dashboards", [frame.TAG], True)
    assert frame.TAG in document["tags"]


@each_file
def test_experiments_are_marked(file: Path) -> None:
    (experiments,) = read(file)["annotations"]["list"]
    assert semconv.EXPERIMENT_ACTIVE.prometheus_name in experiments["expr"]
    assert experiments["titleFormat"] == "{{faultline_experiment}}"
    assert "{{faultline_experiment_arm}}" in experiments["textFormat"]
    assert experiments["enable"] is True


@each_file
def test_data_comes_from_the_provisioned_source(file: Path) -> None:
    document = read(file)
    sources = [each["datasource"] for each in (*panels(document), *document["templating"]["list"])]
    sources += [target["datasource"] for panel in panels(document) for target in panel["targets"]]
    assert all(each == {"type": "prometheus", "uid": "prometheus"} for each in sources)


def test_a_breaker_s_state_is_shown_for_every_state_there_is() -> None:
    from services.chassis.resilience.events import BreakerState  # noqa: PLC0415  # tests alone may know both rooms

    assert {name for _, name, _ in resilience.BREAKER_STATES} == set(BreakerState)
