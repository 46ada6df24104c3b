"""What is wrong in the file of objectives is refused, with its line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from observability.stack.objectives import FILE, ObjectivesError, load_all

Broken = Callable[[str, str], tuple[str, int]]


@pytest.fixture
def broken(tmp_path: Path) -> Broken:
    """Changes the file at its first place that reads so; gives what loading it says, and the line that was changed."""

    def change(old: str, new: str) -> tuple[str, int]:
        text = FILE.read_text()
        assert old in text
        file = tmp_path / "slo.yaml"
        file.write_text(text.replace(old, new, 1))
        with pytest.raises(ObjectivesError) as caught:
            load_all(file)
        return str(caught.value).replace(str(file), "slo.yaml"), text[: text.index(old)].count("\n") + 1

    return change


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("target: 0.99}", "target: 1.0}", r"checkout\.availability\.target: Input should be less than 1"),
        ("target: 0.98}", "target: 0.9}", r"checkout\.pending\.target: too loose for a burn rate of 14\.4"),
        ("threshold_s: 0.5", "threshold_s: 0.3", r"checkout\.latency\.threshold_s: .*0\.3 is no bucket's bound"),
        ("metric: faultline.fallbacks", "metric: faultline.fallback", "there is no metric 'faultline.fallback'"),
        ("metric: faultline.server.shed", "metric: up", "ServiceSaturated.rate.metric: .*there is no metric 'up'"),
        ("metric: faultline.server.shed", "metric: faultline.server.limit", "is a gauge, no counter"),
        ("[faultline.call.attempts,", "[faultline.server.limit,", "faultline.server.limit is a gauge, no counter"),
        ("[faultline.call.attempts,", "[faultline.calls,", "there is no metric 'faultline.calls'"),
        ("kind: silent", "kind: quiet", r"NoTraffic: Input tag 'quiet' found using 'kind' does not match"),
        ("by: [faultline.callee]", "by: [callee]", "has no attribute 'callee'"),
        ("{service} has not", "{server} has not", "the alert has no label 'server'; its labels: service, callee"),
        ("dashboard: faultline-cost", "dashboard: costs", "there is no dashboard 'costs'"),
        ("  browse:", "  checkout:", r"checkout: the same name as in line \d+"),
        ("  Watchdog:", "  NoTraffic:", r"NoTraffic: the same name as in line \d+"),
        ("  NoTraffic:", "  BrowseLatencyBurnRate:", "an objective's alert has this name"),
        ("{method: GET, route: /api/v1/products}", "{method: POST, route: /api/v1/orders}", "is counted by checkout"),
        ("period: 12h", "period: 1h", "shorter than the longest window"),
        ("long: 3d", "long: 4d", r"burn_rates\.3\.long: Input should be '5m', "),
        ("production:\n    scrape_interval: 15s", "production:\n    scrape_interval: 15", "scrape_interval"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(broken: Broken, old: str, new: str, complaint: str) -> None:
    said, line = broken(old, new)
    first = said.splitlines()[0]
    assert re.search(complaint, first), said
    named = int(first.split(":")[1])
    # A model's own rule is told at the model, whose fields follow.
    assert named <= line + 1
    assert line - named <= 6


def test_a_window_without_length_is_named(broken: Broken) -> None:
    said, line = broken("30m: 30s, ", "")
    assert said == f"slo.yaml:{line}: profiles.demo.windows: no length for 30m"


def test_windows_hold_enough_scrapes(broken: Broken) -> None:
    said, _ = broken("scrape_interval: 2s", "scrape_interval: 4s")
    assert "the shortest holds fewer than 4 scrapes" in said


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("    while_growing: [", "    # [", "while_growing and over belong together"),
        ("breaker.rejections]\n    over: 5m\n", "breaker.rejections]\n", "while_growing and over belong together"),
        ("[faultline.call.attempts,", "[faultline.server.shed,", "has no attribute 'faultline.callee'"),
    ],
)
def test_counters_that_must_grow_have_a_window_and_the_gauges_attributes(
    broken: Broken, old: str, new: str, complaint: str
) -> None:
    said, _ = broken(old, new)
    assert complaint in said


def test_windows_keep_their_order(broken: Broken) -> None:
    said, _ = broken("1d: 24m", "1d: 5m")
    assert "a window that is longer in production must be longer here" in said


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text(FILE.read_text().replace("target: 0.99", "target: 1").replace("kind: always", "kind: never"))
    with pytest.raises(ObjectivesError) as caught:
        load_all(file)
    lines = [int(each.removeprefix(f"{file}:").split(":")[0]) for each in str(caught.value).splitlines()]
    assert len(lines) == 4
    assert lines == sorted(lines)


@pytest.mark.parametrize("content", [b"", b"[]", b"objectives", b"\xff\xfe", b"a: [", b"{}"])
def test_no_file_of_objectives_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "slo.yaml"
    file.write_bytes(content)
    with pytest.raises(ObjectivesError, match=r"slo\.yaml"):
        load_all(file)
