import pytest

from services.gateway.domain import Seen
from services.gateway.product_cache import MemoryProductCache
from tests.fakes.clock import FakeClock

READERS, NOBODY = frozenset({"products:read"}), frozenset[str]()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> MemoryProductCache[str]:
    return MemoryProductCache(most=2, max_age_s=60.0, clock=clock)


def test_what_was_kept_is_found_with_its_age(cache: MemoryProductCache[str], clock: FakeClock) -> None:
    cache.keep((READERS, "p-1"), "mug")
    clock.advance(5)
    assert cache.find((READERS, "p-1")) == Seen("mug", 5.0)


def test_the_last_answer_counts(cache: MemoryProductCache[str], clock: FakeClock) -> None:
    cache.keep((READERS, "p-1"), "mug")
    clock.advance(5)
    cache.keep((READERS, "p-1"), "better mug")
    assert cache.find((READERS, "p-1")) == Seen("better mug", 0.0)


def test_what_one_may_see_another_may_not(cache: MemoryProductCache[str]) -> None:
    cache.keep((READERS, "p-1"), "mug")
    assert cache.find((NOBODY, "p-1")) is None


def test_what_is_too_old_is_not_found(cache: MemoryProductCache[str], clock: FakeClock) -> None:
    cache.keep((READERS, "p-1"), "mug")
    clock.advance(60)
    assert cache.find((READERS, "p-1"))
    clock.advance(0.1)
    assert cache.find((READERS, "p-1")) is None


def test_it_holds_so_many_the_newest(cache: MemoryProductCache[str]) -> None:
    for name in ("p-1", "p-2", "p-1", "p-3"):
        cache.keep((READERS, name), name)
    assert [bool(cache.find((READERS, name))) for name in ("p-1", "p-2", "p-3")] == [True, False, True]
