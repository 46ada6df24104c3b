"""Every expression in PromQL that dashboards, rules and data sources hold, read from the files as they are checked in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from observability.stack.generators import FOLDER

DASHBOARDS = FOLDER / "grafana" / "dashboards"
DATA_SOURCES = FOLDER / "grafana" / "provisioning" / "datasources" / "faultline.yml"
RULES = FOLDER / "prometheus"

WINDOW, RANGE = "30s", "15m"


@dataclass(frozen=True)
class Expression:
    """`where` names file and place, `text` is PromQL. `record` is the series that a rule makes of it, `alert` the alert's name."""

    where: str
    text: str
    record: str = ""
    alert: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    exemplars: bool = False

    @property
    def parsed(self) -> promql_parser.Expr:
        """Raises ValueError where it is none."""
        try:
            return promql_parser.parse(self.text)
        except ValueError as exc:
            raise ValueError(f"{self.where}: {self.text}: {exc}") from exc

    def __str__(self) -> str:
        return self.where


def everywhere() -> list[Expression]:
    return [*of_dashboards(), *of_rules(), *of_data_sources()]


def dashboard_files() -> list[Path]:
    return sorted(DASHBOARDS.glob("*.json"))


def of_dashboards(window: str = WINDOW, span: str = RANGE) -> Iterator[Expression]:
    """What panels and annotations ask for, with every variable standing for everything."""
    for file in dashboard_files():
        document = json.loads(file.read_text("utf-8"))
        for panel in document["panels"]:
            for target in panel.get("targets", ()):
                where = f"{file.name}: {panel['title']} {target['refId']}"
                text = substituted(target["expr"], window, span)
                yield Expression(where, text, exemplars=bool(target.get("exemplar")))
        for annotation in document["annotations"]["list"]:
            yield Expression(f"{file.name}: annotation {annotation['name']}", annotation["expr"])
        for variable in document["templating"]["list"]:
            series = re.fullmatch(r"label_values\((.*), \w+\)", variable["query"])
            assert series, variable
            yield Expression(f"{file.name}: variable {variable['name']}", substituted(series[1], window, span))


def substituted(text: str, window: str = WINDOW, span: str = RANGE) -> str:
    """The expression as Grafana sends it: `$__rate_interval`, `$__range`, and variables, of which all are chosen."""
    text = text.replace("$__rate_interval", window).replace("$__range", span)
    return re.sub(r"\$\w+", ".*", text)


def of_rules(profile: str = "*") -> Iterator[Expression]:
    """What is recorded and what is alerted on."""
    for file in sorted(RULES.glob(f"rules.{profile}.yml")):
        document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
        for group in document["groups"]:
            for rule in group["rules"]:
                record, alert = rule.get("record", ""), rule.get("alert", "")
                labels = rule.get("labels", {})
                where = f"{file.name}: {record or alert} {labels.get('slo', '')}".rstrip()
                yield Expression(where, rule["expr"], record, alert, labels)


def of_data_sources() -> Iterator[Expression]:
    """Where a span's links to metrics lead."""
    for source in yaml.safe_load(DATA_SOURCES.read_text("utf-8"))["datasources"]:
        for query in source["jsonData"].get("tracesToMetrics", {}).get("queries", ()):
            text = query["query"].replace("$$__tags", 'service=~".*"').replace("$$__rate_interval", WINDOW)
            yield Expression(f"{DATA_SOURCES.name}: {query['name']}", text)
