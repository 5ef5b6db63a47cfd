"""A race of contenders over the folds of the training rows: one that cannot win is not judged further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.evaluation.scores import primary_score
from mlops.pipelines.fitting.out_of_fold import FoldPrediction, HeldOutFold, OutOfFold, Sample

# out of fold: on 4,000 rows scores spread by about 0.01, and more folds cost more than they tell
_ENOUGH_JUDGED_ROWS = 4_000
_PRELIMINARY_ROWS = 4_000
_MAX_AFTER_FOLD = {2: 2, 3: 1}  # contenders that a further fold is worth
_STANDARD_ERRORS_BEHIND = 3.0
_MIN_PROBABILITY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """Settings, and what models of them predict out of fold."""

    settings: GroupSettings
    sample: Sample
    folds: tuple[FoldPrediction, ...] = ()

    @property
    def judged(self) -> OutOfFold:
        """All rows that were judged."""
        return self.sample.joined(self.folds)

    @property
    def score(self) -> float:
        """The primary score of the judged rows; minus infinity where they define none."""
        judged = self.judged
        score = primary_score(self.sample.task, judged.y, judged.scores) if len(judged.y) else None
        return -np.inf if score is None else score

    @property
    def n_rounds(self) -> int | None:
        """The mean of the best numbers of boosting rounds, None without early stopping."""
        rounds = [fold.n_rounds for fold in self.folds if fold.n_rounds is not None]
        return round(float(np.mean(rounds))) if rounds else None


def race(sample: Sample, settings: Sequence[GroupSettings]) -> tuple[Contender, ...]:
    """Judge contenders fold by fold; return all, those of the most folds first, and then by their score.

    Of more than 8,000 rows a preliminary fold is judged, on 4,000 of them. Then fold after fold is judged,
    until 4,000 rows are. A contender whose loss is clearly greater than that of the best one is judged no
    further; of the others two at most are judged on a third fold, and one on more.

    Parameters
    ----------
    sample
        The rows that are looked at.
    settings
        Those of the contenders, the simplest first: it is taken at a draw.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value.
    """
    running = [Contender(one, sample) for one in settings]
    running, stopped = _after_preliminary_fold(sample, running)
    n_judged = 0
    for n_folds, fold in enumerate(sample.held_out_folds(), start=1):
        running = _judged(running, fold)
        n_judged += len(fold.y)
        if n_judged >= _ENOUGH_JUDGED_ROWS:
            break
        ahead = _not_behind(running)[: _MAX_AFTER_FOLD.get(n_folds)]
        stopped = [*(one for one in running if one not in ahead), *stopped]
        running = ahead
    return (*running, *stopped)


def _after_preliminary_fold(
    sample: Sample, contenders: list[Contender]
) -> tuple[list[Contender], list[Contender]]:
    """Return those that go on, as they were, and those that do not, as they were judged."""
    fold = next(sample.of_size(_PRELIMINARY_ROWS).held_out_folds(), None)
    if len(contenders) == 1 or len(sample.y) <= 2 * _PRELIMINARY_ROWS or fold is None:
        return contenders, []
    judged = _judged(contenders, fold)
    ahead = [one.settings for one in _not_behind(judged)]
    return (
        [one for one in contenders if one.settings in ahead],
        [one for one in judged if one.settings not in ahead],
    )


def judge(contenders: Sequence[Contender], fold: HeldOutFold) -> tuple[list[Contender], list[TrainingError]]:
    """Return the contenders with one more fold, and the errors of those that cannot be fitted."""
    outcomes = fold.predict_each([one.settings for one in contenders])
    judged = [
        replace(one, folds=(*one.folds, outcome))
        for one, outcome in zip(contenders, outcomes, strict=True)
        if not isinstance(outcome, TrainingError)
    ]
    return judged, [outcome for outcome in outcomes if isinstance(outcome, TrainingError)]


def _judged(contenders: Sequence[Contender], fold: HeldOutFold) -> list[Contender]:
    """Return the contenders with one more fold, the best score first.

    Raises
    ------
    TrainingError
        If one of them cannot be fitted.
    """
    judged, errors = judge(contenders, fold)
    if errors:
        raise errors[0]
    return sorted(judged, key=lambda one: -one.score)


def _not_behind(ranked: Sequence[Contender]) -> list[Contender]:
    """Return those whose losses are not clearly greater than those of the first on the same rows."""
    least = losses(ranked[0])
    return [one for one in ranked if not is_greater(losses(one) - least, _STANDARD_ERRORS_BEHIND)]


def is_greater(differences: np.ndarray, standard_errors: float) -> bool:
    """Whether the mean of differences on the same rows is more than some of its standard errors above 0."""
    standard_error = differences.std() / np.sqrt(max(len(differences), 1))
    return bool(differences.mean() > standard_errors * standard_error)


def losses(contender: Contender) -> np.ndarray:
    """Return the squared error, or the negative logarithm of the probability of the truth, of each row."""
    judged = contender.judged
    if judged.scores.probabilities is None:
        errors: np.ndarray = np.square(judged.y - judged.scores.predicted)
        return errors
    of_truth = judged.scores.probabilities[np.arange(len(judged.y)), judged.y]
    losses: np.ndarray = -np.log(np.maximum(of_truth, _MIN_PROBABILITY))
    return losses
