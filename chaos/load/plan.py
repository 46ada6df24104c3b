"""The plan of a run: what is sent and when, as data that follows from a seed. Pure; sends nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from random import Random
from typing import Final

from chaos.load.errors import PlanError
from chaos.load.kinds import DEFAULT_MIX, Kind, Mix
from chaos.load.requests import Request, RequestMaker
from chaos.load.shapes import SHAPES, arrival_times

MAX_REQUESTS: Final = 1_000_000
MAX_RPS: Final = 10_000.0
MAX_DURATION_S: Final = 4 * 3600.0
MAX_USERS: Final = 10_000
MAX_RUN_ID_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that is to be sent `at_s` seconds after the start, answered or not what came before it."""

    index: int
    at_s: float
    kind: Kind
    user: int  # 0 ≤ user < plan.users; whose key is used
    request: Request
    idempotency_key: str | None  # checkouts only


@dataclass(frozen=True)
class LoadPlan:
    """Everything that decides a run. Equal plans have equal arrivals, on every machine and Python.

    `rps` is the highest rate of the shape (requests per second). `run_id` becomes a part of the idempotency keys, and
    has no default: a system that has seen the same seed *and* the same run id answers its checkouts from memory.
    Raises `PlanError` when made with a field that is out of its limits.
    """

    rps: float
    duration_s: float
    seed: int
    products: tuple[str, ...]  # the most popular first
    run_id: str
    users: int = 20
    shape: str = "constant"
    mix: Mix = field(default_factory=lambda: DEFAULT_MIX)
    zipf_exponent: float = 1.0  # 0: all products are equally popular

    def __post_init__(self) -> None:
        _within("rps", self.rps, 0, MAX_RPS)
        _within("duration_s", self.duration_s, 0, MAX_DURATION_S)
        _within("users", self.users, 0, MAX_USERS)
        _require(self.shape in SHAPES, f"shape: {self.shape!r} is none of {', '.join(SHAPES)}")
        _require(0 <= self.zipf_exponent <= 10, f"zipf_exponent: {self.zipf_exponent} is not within 0..10")
        _require(bool(self.products), "products: at least one is needed")
        _require(0 < len(self.run_id) <= MAX_RUN_ID_LENGTH, f"run_id: 1 to {MAX_RUN_ID_LENGTH} characters are needed")
        _check_mix(self.mix)
        _require(self.count <= MAX_REQUESTS, f"rps x duration: {self.count} requests; at most {MAX_REQUESTS}")

    @property
    def count(self) -> int:
        """How many requests the whole plan has; at least one."""
        return max(1, round(self.rps * self.duration_s * SHAPES[self.shape].mean))

    def arrivals(self) -> Iterator[Arrival]:
        """The requests in the order of their times, made one by one as they are asked for."""
        # Two random streams: another mix leaves the times as they are.
        times = arrival_times(SHAPES[self.shape], self.count, self.duration_s, _random(self.seed, "times"))
        rng = _random(self.seed, "requests")
        maker = RequestMaker(rng, self.products, self.zipf_exponent)
        kinds, weights = list(self.mix), list(self.mix.values())
        for index, at_s in enumerate(times):
            kind = rng.choices(kinds, weights)[0]
            yield Arrival(
                index, at_s, kind, rng.randrange(self.users), maker.make(kind), self._idempotency_key(kind, index)
            )

    def _idempotency_key(self, kind: Kind, index: int) -> str | None:
        return f"load-{self.run_id}-{self.seed}-{index}" if kind.startswith("checkout") else None


def _random(seed: int, stream: str) -> Random:
    return Random(f"{seed}:{stream}")  # noqa: S311 - to be repeated, not to be secret


def _check_mix(mix: Mapping[Kind, float]) -> None:
    wrong = [f"{kind}={weight}" for kind, weight in mix.items() if not (isfinite(weight) and weight >= 0)]
    _require(not wrong, f"mix: {', '.join(wrong)}; a weight is a number from 0")
    _require(sum(mix.values()) > 0, "mix: at least one kind needs a weight above 0")


def _within(name: str, value: float, above: float, most: float) -> None:
    _require(above < value <= most, f"{name}: {value:g} is not above {above:g} and at most {most:g}")


def _require(fine: bool, otherwise: str) -> None:
    if not fine:
        raise PlanError(otherwise)
