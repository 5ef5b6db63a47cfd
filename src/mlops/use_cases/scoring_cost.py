"""What the scoring of a file costs: how long its machines run, by list prices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mlops.pipelines.jobs.prices import lambda_cost_usd, usd_per_hour


@dataclass(frozen=True, slots=True)
class CostMeter:
    """Measures the cost of the machine on which it was made, from then on.

    Neither the start of the machine nor attempts that failed are counted.

    Parameters
    ----------
    usd_per_second
        None where the price is not known, as on a laptop.
    clock
        Returns seconds that only rise.
    """

    usd_per_second: float | None = None
    clock: Callable[[], float] = time.perf_counter
    started: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "started", self.clock())

    @classmethod
    def of_function(
        cls, memory_mb: int | str, *, clock: Callable[[], float] = time.perf_counter
    ) -> CostMeter:
        """Return the meter of a Lambda function; `memory_mb` is what its context says."""
        return cls(lambda_cost_usd(int(memory_mb) / 1024), clock)

    @classmethod
    def of_job(cls, instance_type: str, usd_an_hour: float = 0.0) -> CostMeter:
        """Return the meter of a job; `usd_an_hour` is the deployment's own price, 0 = the list price."""
        price = usd_per_hour(instance_type, usd_an_hour)
        return cls(None if price is None else price / 3600)

    def read(self) -> float | None:
        """Return the cost until now in US dollars."""
        if self.usd_per_second is None:
            return None
        return round((self.clock() - self.started) * self.usd_per_second, 9)


def total(costs: Iterable[float | None]) -> float | None:
    """Return the sum of costs; None if one of them is not known."""
    amounts = list(costs)
    return None if None in amounts else round(sum(each for each in amounts if each is not None), 9)
