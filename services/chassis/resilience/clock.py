"""Time as the policies see it: a function that returns monotonic seconds."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Monotonic seconds; only differences mean something."""

MONOTONIC: Clock = time.monotonic
