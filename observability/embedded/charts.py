"""What every drawing shares: leather's style, set to the page's own, and scales that end where they are told to.

Colours are CSS variables of the page, so that a drawing follows it into the dark. leather keeps its style in module
variables, shared by whoever draws in the process, so that each drawing begins with `use_page_style`.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any, Final

from leather import theme
from leather.scales import Linear

_STYLE: Final[Mapping[str, Any]] = {
    "background_color": "none",
    "margin": 0.004,
    "title_font_char_height": 0,
    "legend_font_char_height": 0,
    "legend_gap": 0,
    "tick_color": "var(--grid)",
    "zero_color": "var(--grid)",
    "label_color": "var(--muted)",
    "tick_font_family": "inherit",
    "tick_font_size": 11,
    "tick_font_char_height": 11,
    "tick_font_char_width": 6.4,
    "tick_size": 3,
}
_LONG_NUMBER: Final = re.compile(r"\d+\.\d{2,}")


def use_page_style(**otherwise: Any) -> None:
    """To be called before a chart is made; `otherwise` are names of leather's theme that a page has its own values for."""
    for name, value in {**_STYLE, **otherwise}.items():
        setattr(theme, name, value)


class ExactScale(Linear):  # type: ignore[misc]  # leather brings no types
    """A linear scale from `low` to `high`: leather's own rounds its ends."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(low, high)
        self._low, self._high = low, max(high, low + 1e-9)

    def contains(self, _: object) -> bool:
        return True

    def project(self, value: Any, range_min: Any, range_max: Any) -> float:
        share = (min(max(float(value), self._low), self._high) - self._low) / (self._high - self._low)
        return round(float(range_min) + (float(range_max) - float(range_min)) * share, 1)


def svg(chart: Any, width: int, height: int, label: str) -> str:
    """The chart as an `<svg>` that scales with its container; `label` says what it shows."""
    root = ET.Element("svg", viewBox=f"0 0 {width} {height}", role="img", width="100%")
    root.set("aria-label", label)
    root.append(chart.to_svg_group(width, height))
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.1f}", ET.tostring(root, encoding="unicode"))
