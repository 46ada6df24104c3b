"""A cache in memory: the answers used last, up to so many and so old."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from services.gateway.domain import Seen
from services.gateway.ports import CacheKey

T = TypeVar("T")


class MemoryProductCache(Generic[T]):
    """A ProductCache. `clock` gives monotonic seconds."""

    def __init__(self, most: int, max_age_s: float, clock: Callable[[], float]) -> None:
        self._most, self._max_age_s, self._clock = most, max_age_s, clock
        self._kept: OrderedDict[CacheKey, tuple[T, float]] = OrderedDict()

    def keep(self, key: CacheKey, value: T) -> None:
        self._kept[key] = (value, self._clock())
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def find(self, key: CacheKey) -> Seen[T] | None:
        if key not in self._kept:
            return None
        value, kept_at = self._kept[key]
        age_s = self._clock() - kept_at
        return Seen(value, age_s) if age_s <= self._max_age_s else None
