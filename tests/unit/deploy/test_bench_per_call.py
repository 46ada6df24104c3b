from collections.abc import Callable

import pytest

from deploy.bench.figures import pipeline
from deploy.bench.per_call import Call, answer_at_once, over_bare_await
from services.chassis.resilience import deadline


def test_the_call_is_made_within_the_deadline_and_what_it_costs_is_a_number_of_microseconds() -> None:
    seen: set[bool] = set()

    async def call() -> None:
        seen.add(deadline.current().never())
        for _ in range(100):
            await answer_at_once()

    assert over_bare_await(call, deadline_s=600.0)() > 0
    assert seen == {False}
    over_bare_await(call)()
    assert seen == {False, True}


@pytest.mark.parametrize(
    "side", [pipeline.ours, pipeline.timeout_alone, pipeline.pyresilience_pipeline, pipeline.tenacity_retry]
)
async def test_every_side_of_the_figure_makes_its_calls_well(side: Callable[[], Call]) -> None:
    call = side()
    for _ in range(3):
        assert await call() is None
