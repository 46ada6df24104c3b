"""Time that passes when told to, or when somebody sleeps; and chance that is decided."""

from random import Random

from services.chassis.resilience.clock import Surroundings
from tests.fakes.clock import FakeClock


class FakeTime(FakeClock):
    """A clock whose `sleep` takes no time of anybody's, but moves it on."""

    def __init__(self, now: float = 100.0) -> None:
        super().__init__(now)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Most(Random):
    """Chance that always gives the most there is."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def surroundings(time: FakeTime, random: Random | None = None) -> Surroundings:
    return Surroundings(time, time.sleep, random or Most())
