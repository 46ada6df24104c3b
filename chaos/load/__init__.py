"""The load generator: open-loop, seeded, bounded.

`plan` says what is sent and when, `generator` sends it, `summary` counts what came back, `table` shows it.
"""

from chaos.load.catalogue import fetch_product_ids
from chaos.load.errors import CatalogueError, LoadError, PlanError, TargetError
from chaos.load.generator import Limits, Result, run_load
from chaos.load.kinds import DEFAULT_MIX, Kind, Mix, parse_mix
from chaos.load.outcomes import Outcome
from chaos.load.plan import Arrival, LoadPlan
from chaos.load.report import LoadReport, RouteReport
from chaos.load.shapes import SHAPES

__all__ = [
    "DEFAULT_MIX",
    "SHAPES",
    "Arrival",
    "CatalogueError",
    "Kind",
    "Limits",
    "LoadError",
    "LoadPlan",
    "LoadReport",
    "Mix",
    "Outcome",
    "PlanError",
    "Result",
    "RouteReport",
    "TargetError",
    "fetch_product_ids",
    "parse_mix",
    "run_load",
]
