"""A trace with less detail, so that a checkout fits a screen. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from opentelemetry.semconv.attributes.db_attributes import DB_QUERY_TEXT

from observability.embedded.waterfall import Row, Waterfall


def without_statements(waterfall: Waterfall) -> Waterfall:
    """Without the SQL statements that went well: what was done to the database is told by the row above them."""
    return replace(waterfall, rows=tuple(row for row in waterfall.rows if not _is_fine_statement(row)))


def _is_fine_statement(row: Row) -> bool:
    tags: Mapping[str, str] = dict(row.tags)
    return DB_QUERY_TEXT in tags and not row.error and row.depth > 0
