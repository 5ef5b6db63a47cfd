"""Searching for hyperparameters on the training rows: successive halving over our own folds."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlops.algorithms.selection import search_space
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.search import is_range, spans_magnitudes
from mlops.models.training import Trial
from mlops.pipelines.evaluation.scores import PRIMARY
from mlops.pipelines.fitting.fitting import prepare_fit, worthwhile_threads
from mlops.pipelines.fitting.out_of_fold import Sample

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
    task, aligned, y = sample.task, sample.aligned, sample.y
    tried = draw_combinations(search_space(settings, task, fixed), settings)
    unfitted = prepare_fit(sample.features, settings, task, y, n_jobs=worthwhile_threads(aligned))
    search = _halving_search(unfitted.pipeline, tried, sample, seed=settings.seed)
    weights = unfitted.weights
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of combinations that are not taken; the taken one is fitted again
        try:
            search.fit(aligned, y, **({} if weights is None else {"estimator__sample_weight": weights}))
        except ValueError as error:  # that of scikit-learn when each fit has failed, with their tracebacks
            reason = str(error).strip().splitlines()[-1]
            raise TrainingError(
                f"No combination of the search could be fitted by {settings.algorithm}: {reason}"
            ) from error
    trials = _trials(search.cv_results_)
    if not trials:
        raise TrainingError(f"No combination of the search could be fitted by {settings.algorithm}.")
    best = {**settings.hyperparameters, **trials[0].hyperparameters}
    return Search(replace(settings, hyperparameters=best), trials)


def _halving_search(
    pipeline: Any, combinations: Sequence[Mapping[str, Any]], sample: Sample, *, seed: int
) -> Any:
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401, PLC0415  makes the next one importable
    from sklearn.model_selection import HalvingGridSearchCV  # noqa: PLC0415

    return HalvingGridSearchCV(
        pipeline,
        [{f"estimator__{name}": [value] for name, value in one.items()} for one in combinations],
        factor=_FACTOR,
        min_resources=_first_rows(len(combinations), len(sample.y)),
        cv=sample.fold_positions(),
        scoring=PRIMARY[sample.task],
        refit=False,
        random_state=seed,
    )


def draw_combinations(
    space: Mapping[str, Sequence[Any]], settings: GroupSettings
) -> tuple[dict[str, Any], ...]:
    """Return what is tried: our defaults (or what is set) first, then draws from the space, none twice."""
    rng = np.random.default_rng(settings.seed)
    drawn: list[dict[str, Any]] = [{}]
    n_trials = settings.search.trials if settings.search else 1
    for _ in range(n_trials * 20):  # a small space may hold fewer combinations than are requested
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


def _first_rows(n_combinations: int, n_rows: int) -> int:
    """Return the rows of the first round: so many that the last one has all, and enough to tell anything."""
    n_thirds = int(math.log(n_combinations, _FACTOR))
    while n_thirds and n_rows // _FACTOR**n_thirds < _FEWEST_ROWS:
        n_thirds -= 1
    first: int = n_rows // _FACTOR**n_thirds
    return first


def _trials(found: Mapping[str, Any]) -> tuple[Trial, ...]:
    """Return each combination once, by the last round that it reached, and then by its score."""
    last: dict[str, tuple[int, Trial]] = {}
    for place, parameters in enumerate(found["params"]):
        score = float(found["mean_test_score"][place])
        names = {name.removeprefix("estimator__"): value for name, value in parameters.items()}
        trial = Trial(names, score, int(found["n_resources"][place]))
        if math.isfinite(score):
            last[repr(parameters)] = (int(found["iter"][place]), trial)
    ordered = sorted(last.values(), key=lambda entry: (-entry[0], -entry[1].score))
    return tuple(trial for _, trial in ordered)
