"""What all dashboards have in common: time, variables, annotations, links, and the order of their panels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from observability import semconv
from observability.stack.grafana.panels import PROMETHEUS, RED, Builder
from observability.stack.grafana.promql import select

TAG: Final = "faultline"
GENERATOR: Final = "python -m observability.stack"

OVERVIEW, EDGES, RESILIENCE, CHAOS, COST = (
    f"faultline-{name}" for name in ("overview", "edges", "resilience", "chaos", "cost")
)
"""What dashboards are known by, in their addresses too."""


@dataclass(frozen=True)
class Variable:
    """A choice above the dashboard: the values of `label` that the series have; several, or all."""

    name: str
    shown: str
    said: str
    label: str
    series: str


class Annotation(models.AnnotationQuery):
    """Marks the times at which an expression is above 0; the SDK does not know what Prometheus' annotations say."""

    def __init__(self, name: str, expression: str, colour: str, title: str, text: str) -> None:
        super().__init__(name=name, datasource=PROMETHEUS, icon_color=colour, expr=expression)
        self._said = {"titleFormat": title, "textFormat": text, "step": "2s"}

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self._said}


class _Made:
    """A builder of what is built already."""

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation

    def build(self) -> Annotation:
        return self._annotation


@dataclass(frozen=True)
class Section:
    """Panels under a heading, from left to right; a row of Grafana's grid is full at 24 columns."""

    title: str
    panels: Sequence[Builder]


def experiments() -> Annotation:
    """When an experiment runs, and with which policies."""
    name, arm = (semconv.prometheus_label(each) for each in (semconv.EXPERIMENT, semconv.EXPERIMENT_ARM))
    return Annotation(
        "Experiments",
        f"max by ({name}, {arm}) ({select(semconv.EXPERIMENT_ACTIVE)}) > 0",
        RED,
        f"{{{{{name}}}}}",
        f"policies: {{{{{arm}}}}}",
    )


def link_to(uid: str, **variables: str) -> str:
    """The address of a dashboard, for the same time, with these variables set."""
    chosen = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return f"/d/{uid}?${{__url_time_range}}{chosen}"


def dashboard(
    uid: str, title: str, said: str, variables: Sequence[Variable], sections: Iterable[Section]
) -> models.Dashboard:
    """`said` is the question that the dashboard answers."""
    made = builders.Dashboard(f"Faultline / {title}").uid(uid).tags([TAG]).timezone("browser").editable()
    made.description(f"{said} Made by `{GENERATOR}`, and to be changed there.")
    made.time("now-15m", "now").refresh("5s").tooltip(models.DashboardCursorSync.CROSSHAIR)
    for each in variables:
        made.with_variable(_variable(each))
    made.annotation(_Made(experiments()))  # type: ignore[arg-type]  # has the one method that a builder has
    made.link(
        builders.DashboardLink("Dashboards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(keep_time=True)
        .include_vars(include_vars=True)
    )
    for section in sections:
        made.with_row(builders.Row(section.title))
        for panel in section.panels:
            made.with_panel(panel)
    return _numbered(made.build())


def _variable(variable: Variable) -> builders.QueryVariable:
    made = builders.QueryVariable(variable.name).label(variable.shown).description(variable.said)
    made.datasource(PROMETHEUS).query(f"label_values({variable.series}, {variable.label})")
    made.multi(multi=True).include_all(include_all=True).all_value(".*")
    made.current(models.VariableOption(text="All", value="$__all", selected=True))
    return made.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)


def _numbered(made: models.Dashboard) -> models.Dashboard:
    """Panels are known by numbers, which Grafana would else give at random."""
    for number, panel in enumerate(made.panels or [], start=1):
        panel.id_val = number
    return made


def document(made: models.Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it, what it is for first."""
    written = made.to_json()
    return {"description": written["description"], **written}
