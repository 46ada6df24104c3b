"""A store in memory whose work runs in transactions: one writer at a time, undone when the work raises."""

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from services.chassis.edge import Edge
from services.chassis.errors import PeerUnavailableError

Data = TypeVar("Data")
View = TypeVar("View")
T = TypeVar("T")

EDGE = Edge("tests", "fake-db", "sql")


class MemoryStore(Generic[Data, View]):
    """`view` is what work sees of the data. `operations` counts what was asked for; `away` makes it unavailable."""

    def __init__(self, data: Data, view: Callable[[Data], View]) -> None:
        self.data = data
        self.operations: Counter[str] = Counter()
        self.away = False
        self._view = view
        self._lock = asyncio.Lock()

    async def read(self, operation: str, work: Callable[[View], Awaitable[T]]) -> T:
        self._begin(operation)
        return await work(self._view(copy.deepcopy(self.data)))

    async def write(self, operation: str, work: Callable[[View], Awaitable[T]]) -> T:
        self._begin(operation)
        async with self._lock:
            draft = copy.deepcopy(self.data)
            result = await work(self._view(draft))
            self.data = draft
            return result

    def _begin(self, operation: str) -> None:
        self.operations[operation] += 1
        if self.away:
            raise PeerUnavailableError(EDGE, operation, "away", retry_after=1.0)
