"""Panels as all dashboards have them: each with a unit, a description, and links that lead on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common as layout
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS: Final = models.DataSourceRef(type_val="prometheus", uid="prometheus")

Unit = str
PER_SECOND: Final[Unit] = units.RequestsPerSecond
EVENTS: Final[Unit] = units.EventsPerSecond
SHARE: Final[Unit] = units.PercentUnit
SECONDS: Final[Unit] = units.Seconds
BYTES: Final[Unit] = units.BytesIEC
COUNT: Final[Unit] = units.Short

GREEN, YELLOW, ORANGE, RED, GRAY, BLUE = "green", "yellow", "orange", "red", "#8e8e8e", "blue"

WIDTH: Final = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True)
class Query:
    """One expression; `legend` in Grafana's form (`{{label}}`). `exemplars` shows single traces as points."""

    expression: str
    legend: str = ""
    exemplars: bool = False


@dataclass(frozen=True)
class Look:
    """How a panel shows its values.

    `steps`: from each value on, the colour; the first is the colour of everything below. `lines` draws them into the graph.
    A graph begins at zero, unless it is `signed`, and ends at `top` where there is one. `no_value` is said where there is nothing.
    """

    unit: Unit
    width: int = 8
    height: int = 8
    steps: Sequence[tuple[float | None, str]] = ()
    lines: bool = False
    stacked: bool = False
    signed: bool = False
    top: float | None = None
    no_value: str = ""


@dataclass(frozen=True)
class Link:
    """Where a click on a value leads; `url` may name the series' labels (`${__field.labels.service}`)."""

    title: str
    url: str


Builder = timeseries.Panel | stat.Panel | statetimeline.Panel | table.Panel


def graph(title: str, said: str, look: Look, *queries: Query, links: Sequence[Link] = ()) -> timeseries.Panel:
    """Values over time. `said` tells what is seen, and what to make of it."""
    panel = timeseries.Panel().fill_opacity(25 if look.stacked else 8).line_width(1)
    panel.show_points(common.VisibilityMode.NEVER).span_nulls(span_nulls=False)
    panel.tooltip(
        layout.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
        .hide_zeros(hide_zeros=True)
    )
    panel.legend(
        layout.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    if look.stacked:
        panel.stacking(layout.StackingConfig().mode(common.StackingMode.NORMAL))
    if look.lines:
        panel.thresholds_style(layout.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED))
    if not look.signed:
        panel.min(0)
    if look.top is not None:
        panel.max(look.top)
    _dress(panel, title, said, look, queries, links)
    return panel


def number(title: str, said: str, look: Look, *queries: Query, links: Sequence[Link] = ()) -> stat.Panel:
    """The value now, large, with the course of it behind."""
    panel = stat.Panel().color_mode(common.BigValueColorMode.VALUE).graph_mode(common.BigValueGraphMode.AREA)
    panel.reduce_options(layout.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.color_scheme(dashboards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    _dress(panel, title, said, look, queries, links)
    return panel


def states(
    title: str, said: str, look: Look, shown: Sequence[tuple[int, str, str]], *queries: Query
) -> statetimeline.Panel:
    """States over time, a bar each; `shown`: for each value its name and colour."""
    panel = statetimeline.Panel().merge_values(merge_values=True).row_height(0.8).fill_opacity(80).line_width(0)
    panel.show_value(common.VisibilityMode.AUTO).align_value(common.TimelineValueAlignment.LEFT)
    options = {str(value): models.ValueMappingResult(text=name, color=colour) for value, name, colour in shown}
    panel.mappings([models.ValueMap(options=options)])
    panel.color_scheme(dashboards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    _dress(panel, title, said, look, queries, ())
    return panel


def rows(title: str, said: str, look: Look, query: Query, columns: Sequence[tuple[str, str]]) -> table.Panel:
    """A table of the series as they are now; `columns`: each label that is shown, and its heading."""
    names = dict(columns)
    organised = {
        "includeByName": dict.fromkeys(names, True),
        "renameByName": names,
        "indexByName": {name: at for at, name in enumerate(names)},
    }
    panel = table.Panel().cell_height(common.TableCellHeight.SM)
    panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=organised))
    _dress(panel, title, said, look, (), ())
    panel.with_target(_target(query, 0).instant().format(PromQueryFormat.TABLE))
    return panel


def _dress(panel: Builder, title: str, said: str, look: Look, queries: Sequence[Query], links: Sequence[Link]) -> None:
    """What every panel has."""
    panel.title(title).description(said).datasource(PROMETHEUS).unit(look.unit).span(look.width).height(look.height)
    steps = [models.Threshold(value=value, color=colour) for value, colour in look.steps or [(None, GREEN)]]
    panel.thresholds(dashboards.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    if look.no_value:
        panel.no_value(look.no_value)
    if links:
        panel.data_links([dashboards.DashboardLink(each.title).url(each.url) for each in links])
    for position, each in enumerate(queries):
        panel.with_target(_target(each, position))


def _target(query: Query, position: int) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(chr(ord("A") + position)).datasource(PROMETHEUS)
    return target.expr(query.expression).legend_format(query.legend).exemplar(query.exemplars).range()
