"""Student's t distribution by its normal approximation, without scipy: the scoring functions lack it.

References: Wallace, Bounds on normal approximations to Student's and the chi-square distributions, Annals of
Mathematical Statistics 30, 1959.
"""

from __future__ import annotations

import math


def normal_deviate(t: float, degrees_of_freedom: float) -> float:
    """Return the deviate of a normal distribution that is as improbable as `t`; the sign is kept."""
    size = _factor(degrees_of_freedom) * math.sqrt(degrees_of_freedom * math.log1p(t**2 / degrees_of_freedom))
    return math.copysign(size, t)


def t_deviate(z: float, degrees_of_freedom: float) -> float:
    """Return the deviate of Student's t distribution that is as improbable as `z` of a normal one."""
    scaled = (z / _factor(degrees_of_freedom)) ** 2 / degrees_of_freedom
    return math.copysign(math.sqrt(degrees_of_freedom * math.expm1(scaled)), z)


def _factor(degrees_of_freedom: float) -> float:
    return (8.0 * degrees_of_freedom + 1.0) / (8.0 * degrees_of_freedom + 3.0)
