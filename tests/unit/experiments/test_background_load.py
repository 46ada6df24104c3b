"""The load of an experiment, where it breaks."""

import asyncio
import threading

import pytest

from chaos.load import LoadError, LoadReport
from chaos.measure.background_load import BackgroundLoad, LoadFailedError, LoadOptions
from tests.unit.experiments.making import SITE


class Breaking(BackgroundLoad):
    """Breaks with what it is told to, before the first request or after it was due."""

    def __init__(self, error: Exception, *, late: bool) -> None:
        super().__init__(SITE, LoadOptions(1, 1, 1))
        self.now = threading.Event()
        self._error, self._late = error, late

    async def _send(self) -> LoadReport:
        if self._late:
            self._begun.set()
            await asyncio.to_thread(self.now.wait)
        raise self._error


ERRORS = [
    ValueError("no such column"),
    LoadError("no keys"),
    OSError("no route"),
    ExceptionGroup("several", [KeyError(1)]),
]


@pytest.mark.parametrize("error", ERRORS)
def test_load_that_cannot_begin_says_why(error: Exception) -> None:
    with pytest.raises(LoadFailedError, match=str(error).partition("(")[0]), Breaking(error, late=False):
        pass


@pytest.mark.parametrize("error", ERRORS)
def test_load_that_breaks_says_why(error: Exception) -> None:
    with Breaking(error, late=True) as load:
        assert load.failure == ""
        load.now.set()
    assert load.failure == f"{type(error).__name__}: {error}"
    assert load.report is None
