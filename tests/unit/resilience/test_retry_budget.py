import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.chassis.resilience.retry_budget import RetryBudget, RetryBudgetConfig
from tests.fakes.surroundings import FakeTime

QUIET = RetryBudgetConfig(floor_per_s=0)


def drained(budget: RetryBudget) -> int:
    """How many it gave until it had none left."""
    given = 0
    while budget.withdraw():
        given += 1
    return given


def drained_in_time(budget: RetryBudget, time: FakeTime) -> int:
    """How many it gave within a window, asked often enough."""
    given = 0
    for _ in range(9):
        given += drained(budget)
        time.now += 1.0
    return given + drained(budget)


def deposited(budget: RetryBudget, calls: int) -> RetryBudget:
    for _ in range(calls):
        budget.deposit()
    return budget


def test_there_is_no_credit_at_the_start() -> None:
    assert drained(RetryBudget(RetryBudgetConfig(), FakeTime())) == 0


@pytest.mark.parametrize(("calls", "retries"), [(4, 0), (5, 1), (9, 1), (10, 2), (100, 20), (1000, 200)])
def test_a_fifth_of_the_calls_may_be_retried(calls: int, retries: int) -> None:
    assert drained(deposited(RetryBudget(RetryBudgetConfig(), FakeTime()), calls)) == retries


def test_calls_of_the_window_before_count_no_more() -> None:
    time = FakeTime()
    budget = deposited(RetryBudget(QUIET, time), 100)
    time.now += 9.9
    assert budget.balance() == pytest.approx(20)
    time.now += 0.2
    assert budget.balance() == 0
    assert drained(budget) == 0


def test_nor_do_its_retries() -> None:
    time = FakeTime()
    budget = deposited(RetryBudget(QUIET, time), 100)
    assert drained(budget) == 20
    time.now += 10.1
    assert drained(deposited(budget, 100)) == 20


def test_what_was_saved_is_not_spent_at_once() -> None:
    time = FakeTime()
    budget = deposited(RetryBudget(QUIET, time), 100)
    time.now += 1.1
    assert drained(budget) == 2
    assert drained(deposited(budget, 20)) == 2
    time.now += 1.0
    assert drained(budget) == 2


def test_an_outage_is_amplified_by_the_ratio_whatever_went_before() -> None:
    """Forty calls a second, well for 20 s, then failing for 12 s: as without the 20 s."""
    time = FakeTime()
    budget = RetryBudget(QUIET, time)
    for _ in range(20):
        deposited(budget, 40)
        time.now += 1.0
    given = 0
    for _ in range(12 * 40):
        given += drained(deposited(budget, 1))
        time.now += 1 / 40
    assert 0.19 * 480 <= given <= 0.2 * 480 + 2


@pytest.mark.parametrize(("seconds", "retries"), [(4.9, 0), (5.1, 1), (10.1, 2), (10_000, 2)])
def test_quiet_callers_get_a_few_with_time_instead(seconds: float, retries: int) -> None:
    time = FakeTime()
    budget = RetryBudget(RetryBudgetConfig(), time)
    time.now += seconds
    assert drained(deposited(budget, 1)) == retries


def test_whichever_is_more_never_both() -> None:
    time = FakeTime()
    budget = RetryBudget(RetryBudgetConfig(), time)
    time.now += 10.1
    assert drained_in_time(deposited(budget, 50), time) == 10


@pytest.mark.parametrize(
    "wrong", [{"ratio": 0.0}, {"ratio": 1.1}, {"floor_per_s": -1.0}, {"floor_per_s": 11.0}, {"window_s": 0.5}]
)
def test_what_makes_no_sense_cannot_be_configured(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryBudgetConfig(**wrong)


class Budgeted(RuleBasedStateMachine):
    """Calls, retries and time in any order, beside a model that keeps everything and forgets nothing."""

    @initialize(
        ratio=st.sampled_from([0.1, 0.2, 1.0]),
        floor=st.sampled_from([0.0, 0.2, 3.0]),
        window=st.sampled_from([1, 10, 60]),
    )
    def begin(self, ratio: float, floor: float, window: int) -> None:
        self.time = FakeTime(now=0.0)
        self.config = RetryBudgetConfig(ratio, floor, window)
        self.budget = RetryBudget(self.config, self.time)
        self.calls: list[int] = []
        self.retries: list[int] = []

    @property
    def slice(self) -> int:
        return int(self.time.now / (self.config.window_s / 10))

    @rule(calls=st.integers(1, 40))
    def call(self, calls: int) -> None:
        for _ in range(calls):
            self.budget.deposit()
            self.calls.append(self.slice)

    @rule(wanted=st.integers(1, 40))
    def retry(self, wanted: int) -> None:
        for _ in range(wanted):
            if self.budget.withdraw():
                self.retries.append(self.slice)
            else:
                window = self._allowed(self.slice) - self._in_window(self.retries)
                assert min(window, self._at_once() - self.retries.count(self.slice)) < 1, "it was owed one"

    @rule(seconds=st.floats(0, 100, allow_subnormal=False))
    def pass_time(self, seconds: float) -> None:
        self.time.now += seconds

    @precondition(lambda self: hasattr(self, "budget"))
    @invariant()
    def no_window_has_more_than_its_share(self) -> None:
        assert self._in_window(self.retries) <= self._allowed(self.slice)

    @precondition(lambda self: hasattr(self, "budget"))
    @invariant()
    def nor_has_a_tenth_of_it(self) -> None:
        assert self.retries.count(self.slice) <= self._at_once()

    @precondition(lambda self: hasattr(self, "budget"))
    @invariant()
    def nor_has_the_whole_run(self) -> None:
        seconds = (self.slice + 1) * self.config.window_s / 10
        assert len(self.retries) <= self.config.ratio * len(self.calls) + self.config.floor_per_s * seconds + 1e-6

    @precondition(lambda self: hasattr(self, "budget"))
    @invariant()
    def its_balance_is_what_the_model_says(self) -> None:
        left = self._allowed(self.slice) - self._in_window(self.retries)
        assert self.budget.balance() == pytest.approx(max(0.0, left), abs=1e-5)

    def _in_window(self, moments: list[int]) -> int:
        return sum(moment > self.slice - 10 for moment in moments)

    def _at_once(self) -> float:
        return max(2, self.config.ratio * self.calls.count(self.slice)) + 1e-6

    def _allowed(self, number: int) -> float:
        seconds = min(number, 10) * self.config.window_s / 10
        return max(self.config.ratio * self._in_window(self.calls), self.config.floor_per_s * seconds) + 1e-6


TestBudgeted = Budgeted.TestCase
TestBudgeted.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
