from collections.abc import Mapping

import pytest

from deploy.bench.hop.app import Variant
from deploy.bench.hop.cores import two_cores
from deploy.bench.hop.server import Hop, running
from deploy.bench.hop.sink import sink
from tests.raw_http import PATIENCE_S
from tests.waiting import eventually


def check_exported(hop: Hop) -> None:
    assert hop.spans()["exported"] > 1


def sampled(hop: Hop) -> Mapping[str, float]:
    shares = hop.profile(0.5)
    assert {"uvicorn", "FastAPI"} <= set(shares)
    return shares


@pytest.mark.parametrize("variant", [Variant.BARE, Variant.BOTH, Variant.LEAN])
def test_a_hop_serves_while_it_is_asked_and_tells_what_that_costs(variant: Variant) -> None:
    with sink() as collector, running(variant, collector, two_cores()[0]) as hop:
        turn = hop.turn(0.2)
        assert turn.request_us > 0
        assert turn.per_second > 0
        if variant is Variant.BARE:
            assert hop.spans() == {"exported": 0, "dropped": 0, "failed": 0}
        else:
            eventually(lambda: check_exported(hop), PATIENCE_S)


def test_a_hop_tells_whose_work_its_time_goes_to() -> None:
    with sink() as collector, running(Variant.LEAN, collector, two_cores()[0]) as hop:
        # A machine that is busy gives it little time to sample.
        shares = eventually(lambda: sampled(hop), PATIENCE_S)
    assert sum(shares.values()) == pytest.approx(1)
