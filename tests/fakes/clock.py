"""A clock that stands still until it is told otherwise."""


class FakeClock:
    """Monotonic seconds, as the policies' `Clock`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
