"""How long a latency fault lasts for one request: pure, its dice injected."""

import random

from services.chassis.faults.parameters import MAX_MS, Fixed, Latency, Normal, Pareto, Uniform


def seconds(latency: Latency, dice: random.Random) -> float:
    """A wait drawn from the distribution, in seconds, from 0 to MAX_MS."""
    return min(max(0.0, _milliseconds(latency, dice)), MAX_MS) / 1000


def _milliseconds(latency: Latency, dice: random.Random) -> float:
    match latency:
        case Fixed(ms):
            return ms
        case Uniform(low, high):
            return dice.uniform(low, high)
        case Normal(mean, deviation):
            return dice.gauss(mean, deviation)
        case Pareto(least, shape):
            return least * dice.paretovariate(shape)
