"""Searching for hyperparameters on the training rows: successive halving over our own folds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlops.algorithms.selection import search_space
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.search import is_range, spans_magnitudes
from mlops.models.training import Trial
from mlops.pipelines.fitting.out_of_fold import Sample
from mlops.pipelines.fitting.race import Contender, judge

MAX_ROWS = 20_000
_FEWEST_ROWS = 500
_FACTOR = 3


@dataclass(frozen=True, slots=True)
class Search:
    """The settings with the best hyperparameters, and everything that was tried, the best first."""

    settings: GroupSettings
    trials: tuple[Trial, ...]


def search_hyperparameters(sample: Sample, settings: GroupSettings, *, fixed: Collection[str] = ()) -> Search:
    """Try combinations on few rows, and a third of them, the best, on three times as many, up to all.

    What the settings say, or our default, is one of the combinations. At most 20,000 rows are looked at.

    Parameters
    ----------
    sample, settings
        The training rows; persons and groups stay whole in their folds. The algorithm must be chosen, and
        `search` set.
    fixed
        Hyperparameters that are not searched for, because the team has set them.

    Raises
    ------
    SettingsError
        If the algorithm has nothing to search for.
    TrainingError
        If no combination could be fitted.
    """
    sample = sample.of_size(MAX_ROWS)
    tried = draw_combinations(search_space(settings, sample.task, fixed), settings)
    running = [replace(settings, hyperparameters={**settings.hyperparameters, **one}) for one in tried]
    trials: list[Trial] = []
    for n_rows in _rows_of_rounds(len(tried), len(sample.y)):
        ranked = judge_combinations(sample.of_size(n_rows), running)
        trials = [*(_trial(one, settings) for one in ranked), *trials]
        running = [one.settings for one in ranked[: math.ceil(len(ranked) / _FACTOR)]]
    return Search(
        replace(settings, hyperparameters=ranked[0].settings.hyperparameters), _last_of_each(trials)
    )


def judge_combinations(sample: Sample, combinations: Sequence[GroupSettings]) -> list[Contender]:
    """Judge combinations on every fold; return those with a score, the best first.

    All models of a fold share its matrices.

    Raises
    ------
    TrainingError
        If none has a score; the reason is that of the last one.
    """
    running = [Contender(one, sample) for one in combinations]
    reason = "the training rows define no score."
    for fold in sample.held_out_folds():
        running, errors = judge(running, fold)
        reason = str(errors[-1]) if errors else reason
    ranked = sorted((one for one in running if math.isfinite(one.score)), key=lambda one: -one.score)
    if not ranked:
        raise TrainingError(f"No combination of hyperparameters has a score: {reason}")
    return ranked


def _trial(contender: Contender, settings: GroupSettings) -> Trial:
    """Return what was tried beside the hyperparameters that are set."""
    own = settings.hyperparameters
    changed = {n: v for n, v in contender.settings.hyperparameters.items() if n not in own or own[n] != v}
    return Trial(changed, contender.score, len(contender.sample.y))


def draw_combinations(
    space: Mapping[str, Sequence[Any]], settings: GroupSettings
) -> tuple[dict[str, Any], ...]:
    """Return what is tried: our defaults (or what is set) first, then draws from the space, none twice."""
    rng = np.random.default_rng(settings.seed)
    drawn: list[dict[str, Any]] = [{}]
    n_trials = settings.search.trials if settings.search else 1
    for _ in range(n_trials * 20):  # a small space may have fewer combinations than are requested
        if len(drawn) == n_trials:
            break
        combination = {name: _draw(values, rng) for name, values in space.items()}
        if combination not in drawn:
            drawn.append(combination)
    return tuple(drawn)


def _draw(values: Sequence[Any], rng: np.random.Generator) -> Any:
    if not is_range(values):
        return values[int(rng.integers(len(values)))]
    low, high = values
    is_whole = isinstance(low, int) and isinstance(high, int)
    if spans_magnitudes(values):
        number = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        number = rng.uniform(low, high)
    return min(high, max(low, round(number))) if is_whole else float(f"{number:.4g}")


def _rows_of_rounds(n_combinations: int, n_rows: int) -> list[int]:
    """Return the rows of each round: the last one has all, the first one enough to say anything."""
    n_thirds = int(math.log(n_combinations, _FACTOR))
    while n_thirds and n_rows // _FACTOR**n_thirds < _FEWEST_ROWS:
        n_thirds -= 1
    return [n_rows // _FACTOR**power for power in reversed(range(n_thirds + 1))]


def _last_of_each(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return each combination once, as it was judged on the most rows: these come first."""
    last: dict[str, Trial] = {}
    for trial in trials:
        last.setdefault(repr(trial.hyperparameters), trial)
    return tuple(last.values())
