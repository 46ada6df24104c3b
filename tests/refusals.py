"""Expecting a refusal, or not minding one."""

import contextlib
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from services.chassis.errors import ProblemError

T = TypeVar("T")


async def refused(slug: str, call: Awaitable[object]) -> ProblemError:
    """The problem that `call` must raise."""
    with pytest.raises(ProblemError) as problem:
        await call
    assert problem.value.slug == slug
    return problem.value


async def quietly(call: Awaitable[T]) -> T | None:
    """What `call` returns, None where it is refused: for tests that look at what it left behind."""
    with contextlib.suppress(ProblemError):
        return await call
    return None
