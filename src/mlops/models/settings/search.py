"""The table `[search]` of `model.toml`: which hyperparameters are tried, how many times, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops.models.errors import SettingsError
from mlops.models.record import Record

_MAGNITUDE = 10.0
MIN_TRIALS = 2
_MAX_TRIALS = 1_000
_MAX_CHOICES = 100


@dataclass(frozen=True, slots=True)
class SearchSettings(Record):
    """How many combinations of hyperparameters are tried, and from where they are drawn.

    In `space` two numbers are a range (tried evenly over orders of magnitude when it spans ten times or
    more), any other list are choices; without it each algorithm has ranges of its own. Without `tuning_job`
    the trials stay inside the training job, also where the deployment gives each a job of its own.
    """

    trials: int = 24
    space: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    tuning_job: bool = True


def check_search(table: Mapping[str, Any]) -> dict[str, Any]:
    """Check what a search may try: a bounded number of trials, and a list of values for each name.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """
    trials, tuning_job, space = (
        table.get("trials", 2),
        table.get("tuning_job", True),
        table.get("space", {}),
    )
    if not isinstance(trials, int) or not MIN_TRIALS <= trials <= _MAX_TRIALS:
        raise SettingsError(
            f"search.trials must be a whole number from {MIN_TRIALS} to {_MAX_TRIALS}, not {trials!r}."
        )
    if not isinstance(tuning_job, bool):
        raise SettingsError(f"search.tuning_job must be true or false, not {tuning_job!r}.")
    if not isinstance(space, Mapping):
        raise SettingsError(f"search.space must be a table, not {space!r}.")
    for name, values in space.items():
        is_list = isinstance(values, (list, tuple)) and 1 < len(values) <= _MAX_CHOICES
        if not is_list or any(isinstance(value, (list, dict)) for value in values):
            raise SettingsError(
                f"search.space.{name} must be [low, high], or a list of 2 to {_MAX_CHOICES} choices,"
                f" not {values!r}."
            )
        if is_range(values) and not values[0] < values[1]:
            raise SettingsError(f"search.space.{name} must go from low to high, not {list(values)}.")
    return dict(table)


def is_range(values: Sequence[Any]) -> bool:
    """Return whether the values are a range: two numbers."""
    return len(values) == 2 and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    )


def spans_magnitudes(values: Sequence[Any]) -> bool:
    """Return whether a range is tried evenly over orders of magnitude, because it spans ten times or more."""
    low, high = values
    return bool(low > 0 and high >= _MAGNITUDE * low)
