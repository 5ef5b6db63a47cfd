"""Hyperparameters drawn from the ranges of a tuning job, as texts."""

import math
import random
from typing import Any

_MOST_TRIES = 50


def draw(ranges: dict[str, Any], rng: random.Random, *, taken: list[dict[str, str]]) -> dict[str, str]:
    """Return a combination, as far as possible one that was not taken before."""
    for _ in range(_MOST_TRIES):
        found = _draw(ranges, rng)
        if found not in taken:
            break
    return found


def _draw(ranges: dict[str, Any], rng: random.Random) -> dict[str, str]:
    found = {}
    for entry in ranges.get("IntegerParameterRanges", []):
        low, high = int(entry["MinValue"]), int(entry["MaxValue"])
        found[entry["Name"]] = str(min(high, max(low, round(_number(low, high, entry, rng)))))
    for entry in ranges.get("ContinuousParameterRanges", []):
        number = _number(float(entry["MinValue"]), float(entry["MaxValue"]), entry, rng)
        found[entry["Name"]] = repr(number)
    for entry in ranges.get("CategoricalParameterRanges", []):
        found[entry["Name"]] = rng.choice(entry["Values"])
    return found


def _number(low: float, high: float, entry: dict[str, Any], rng: random.Random) -> float:
    if entry.get("ScalingType") == "Logarithmic":
        return min(high, max(low, math.exp(rng.uniform(math.log(low), math.log(high)))))
    return rng.uniform(low, high)
