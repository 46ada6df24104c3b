from pathlib import Path

import pytest

from observability.stack.objectives import ObjectivesError, load


def test_the_objectives_are_those_of_both_journeys() -> None:
    found = load()
    assert set(found) == {"checkout", "browse"}
    assert found["checkout"].availability.budget == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("target: 0.99}", "target: 1.0}"), "availability.target: Input should be less than 1"),
        (("threshold_s: 0.5", "threshold_s: 0.3"), "0.3 is no bucket's bound"),
        (("availability:", "availabilty:"), "availabilty: Extra inputs are not permitted"),
        (("route: /api/v1/orders", "route: api"), "requests.0.route"),
        (("objectives:", "objectives"), "Field required|Input should be|mapping values"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    text = (Path(load.__code__.co_filename).with_name("slo.yaml")).read_text()
    file = tmp_path / "slo.yaml"
    file.write_text(text.replace(*change, 1))
    with pytest.raises(ObjectivesError, match=complaint):
        load(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObjectivesError, match=r"nothing\.yaml: No such file"):
        load(tmp_path / "nothing.yaml")
