"""A run says that it goes on for as long as it does, and is none the worse when nobody listens."""

from threading import Event

import pytest

from chaos.control import AwayError
from chaos.toolkit.announcement import TTL_S, Announcement, name_of

PATIENCE_S = 30.0


class Listening:
    """An ExperimentControl that keeps what it is told; `deaf` hears nothing."""

    def __init__(self, *, deaf: bool = False, enough: int = 3) -> None:
        self.said: list[tuple[str, str, float]] = []
        self.ended: list[str] = []
        self.heard_enough = Event()
        self._deaf, self._enough = deaf, enough

    def runs(self, name: str, arm: str, ttl_s: float) -> None:
        self.said.append((name, arm, ttl_s))
        if len(self.said) >= self._enough:
            self.heard_enough.set()
        self._refuse()

    def over(self, name: str) -> None:
        self.ended.append(name)
        self._refuse()

    def _refuse(self) -> None:
        if self._deaf:
            raise AwayError("gateway-1", "http://127.0.0.1:1", "nobody there")


@pytest.mark.parametrize("deaf", [False, True])
def test_it_is_said_again_and_again_and_then_that_it_is_over(deaf: bool) -> None:
    control = Listening(deaf=deaf)
    with Announcement(control, "slow-payments", "full", again_s=0.001):
        assert control.said[0] == ("slow-payments", "full", TTL_S)
        assert not control.ended
        assert control.heard_enough.wait(PATIENCE_S)
    assert set(control.said) == {("slow-payments", "full", TTL_S)}
    assert control.ended == ["slow-payments"]


def test_a_run_that_leaves_policies_alone_has_an_arm_too() -> None:
    control = Listening()
    with Announcement(control, "slow-payments", ""):
        assert control.said == [("slow-payments", "as-is", TTL_S)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("slow-payments", "slow-payments"),
        ("payments answers 1.5 s late", "payments-answers-1.5-s-late"),
        ("Größe", "Gr-e"),
        ("...", "unnamed"),
        ("x" * 100, "x" * 64),
    ],
)
def test_any_text_becomes_a_name_that_metrics_can_carry(text: str, name: str) -> None:
    assert name_of(text) == name
