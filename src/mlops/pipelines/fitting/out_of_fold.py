"""What models predict of training rows that they were fitted without, fold by fold."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from mlops.algorithms.cores import on_shared_cores
from mlops.algorithms.definitions import Algorithm
from mlops.algorithms.selection import algorithm, configure
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.training import N_FOLDS
from mlops.pipelines.artifacts.model import FeatureColumn, Scores
from mlops.pipelines.features.training_rows import TrainingRows
from mlops.pipelines.fitting.fitting import (
    WeightedRows,
    fit_estimator,
    row_weights,
    set_directions,
)
from mlops.pipelines.fitting.preprocessing import make_preprocessing

logger = logging.getLogger(__name__)

_MIN_ROWS, _MAX_ROWS = 20_000, 100_000
_MAX_KEPT = 16_000_000  # numbers of all matrices that are kept, beside those of the fold that is judged

type _Matrices = tuple[np.ndarray, np.ndarray]  # of the fitted and of the judged rows


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Training rows that were judged, and what models predict for them that were fitted without them."""

    y: np.ndarray
    scores: Scores


@dataclass(slots=True)
class PreparedFolds:
    """The matrices of the folds of a sample, which all models share: a contender costs its estimator alone.

    A fold has one pair for each form that an algorithm takes. Those of earlier folds are kept for the next
    pass over the folds, as long as there is room.
    """

    kept: dict[tuple[int, bool, bool], _Matrices] = field(default_factory=dict)

    def keep(self, fold: int, form: tuple[bool, bool], matrices: _Matrices) -> None:
        """Keep the matrices of a fold in a form, and drop those of other folds where there is no room."""
        self.kept[fold, *form] = matrices
        others = [key for key in self.kept if key[0] != fold]
        while others and self._n_numbers > _MAX_KEPT:
            del self.kept[others.pop(0)]

    @property
    def _n_numbers(self) -> int:
        return sum(matrix.size for both in self.kept.values() for matrix in both)


@dataclass(frozen=True, slots=True)
class Sample:
    """The training rows that are looked at: in the model's form, with their truth and their folds.

    `n_labels` is the number of labels, 0 for a regression.
    """

    aligned: pd.DataFrame
    y: np.ndarray
    folds: np.ndarray
    features: tuple[FeatureColumn, ...]
    task: TaskName
    n_labels: int
    has_folds_in_time: bool = False
    seed: int = 0
    prepared: PreparedFolds = field(init=False, default_factory=PreparedFolds)

    def of_size(self, n_rows: int) -> Sample:
        """Return at most so many of the rows, drawn at random."""
        if len(self.y) <= n_rows:
            return self
        rows = _drawn(len(self.y), n_rows, self.seed)
        return replace(self, aligned=self.aligned.iloc[rows], y=self.y[rows], folds=self.folds[rows])

    def joined(self, folds: Sequence[FoldPrediction]) -> OutOfFold:
        """Return the rows of several folds as one."""
        y = np.concatenate([self.y[:0], *(fold.y for fold in folds)])
        if self.task == "regression":
            return OutOfFold(y, Scores(np.concatenate([np.zeros(0), *(fold.values for fold in folds)])))
        nothing = np.zeros((0, self.n_labels))
        probabilities = np.concatenate([nothing, *(fold.values for fold in folds)])
        return OutOfFold(y, Scores(probabilities.argmax(axis=1), probabilities))

    def held_out_folds(self) -> Iterator[HeldOutFold]:
        """Yield each fold that models of other rows can judge."""
        parts = fold_parts(self.folds, by_time=self.has_folds_in_time)
        for number, (fitted, judged) in enumerate(parts):
            if self.task == "regression" or len(np.unique(self.y[fitted])) > 1:
                yield HeldOutFold(self, fitted, judged, number)


def training_sample(rows: TrainingRows) -> Sample:
    """Return the training rows that are looked at: at most 20,000, or a fifth of more than 100,000."""
    split, problem, seed = rows.split, rows.problem, rows.settings.seed
    train = np.flatnonzero(split.train)
    looked_at = train[_drawn(len(train), min(max(_MIN_ROWS, len(train) // 5), _MAX_ROWS), seed)]
    return Sample(
        rows.aligned.iloc[looked_at],
        problem.y[looked_at],
        split.folds[looked_at],
        rows.selection.features,
        problem.task,
        problem.n_trained_labels,
        split.has_folds_in_time,
        seed,
    )


def _drawn(n_rows: int, most: int, seed: int) -> np.ndarray:
    """Return the positions of at most so many of the rows, in order."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:most])


def fold_parts(folds: np.ndarray, *, by_time: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows to fit to and the rows to judge as boolean masks, one pair per fold that has both.

    Parameters
    ----------
    folds
        The fold of each row, 0..N_FOLDS-1.
    by_time
        The folds follow one another in time: each is judged by models of the earlier ones alone, the latest
        fold first. Otherwise each is judged by models of all others.
    """
    for fold in reversed(range(N_FOLDS)) if by_time else range(N_FOLDS):
        judged = folds == fold
        fitted = folds < fold if by_time else ~judged
        if judged.any() and fitted.any():
            yield fitted, judged


@dataclass(frozen=True, slots=True)
class FoldPrediction:
    """Truth and prediction of the rows of a fold: numbers, or a probability per label.

    `n_rounds` is the best number of boosting rounds, where boosting stopped early.
    """

    y: np.ndarray
    values: np.ndarray
    n_rounds: int | None = None


@dataclass(frozen=True, slots=True)
class HeldOutFold:
    """A fold that models are judged on, and the rows that they are fitted to.

    `number` tells the folds of one sample apart.
    """

    sample: Sample
    fitted: np.ndarray
    judged: np.ndarray
    number: int = 0

    @property
    def y(self) -> np.ndarray:
        """The truth of the judged rows."""
        truth: np.ndarray = self.sample.y[self.judged]
        return truth

    def predict(self, settings: GroupSettings) -> FoldPrediction:
        """Return what a model of the settings says of the judged rows.

        Raises
        ------
        TrainingError
            If a hyperparameter has an impossible value.
        """
        (prediction,) = self.predict_each([settings])
        if isinstance(prediction, TrainingError):
            raise prediction
        return prediction

    def predict_each(self, several: Sequence[GroupSettings]) -> list[FoldPrediction | TrainingError]:
        """Return what a model of each of the settings says, or why it cannot be fitted; they share the cores.

        What the libraries warn of is left out: a warning is of interest where a model is kept.
        """
        for settings in several:
            self._matrices_for(algorithm(settings.algorithm))
        with warnings.catch_warnings():  # a setting of all threads
            warnings.simplefilter("ignore")
            return on_shared_cores(self._try, several)

    def _try(self, settings: GroupSettings) -> FoldPrediction | TrainingError:
        try:
            return self._predict(settings)
        except TrainingError as error:
            return error

    def _predict(self, settings: GroupSettings) -> FoldPrediction:
        task = self.sample.task
        configured = configure(settings, task)
        matrix, judged = self._matrices_for(configured.algorithm)
        set_directions(configured, self.sample.features, settings, matrix.shape[1])
        y, truth = self.sample.y[self.fitted], self.y
        if task == "regression":
            n_rounds = fit_estimator(configured, WeightedRows(matrix, y), WeightedRows(judged, truth))
            numbers = np.asarray(configured.estimator.predict(judged), dtype=np.float64)
            return FoldPrediction(truth, numbers, n_rounds)
        labels, positions = np.unique(y, return_inverse=True)  # a fold may lack a label
        has_label = np.isin(truth, labels)
        class_weight = configured.hyperparameters.get("class_weight")
        n_rounds = fit_estimator(
            configured,
            _weighted(matrix, positions, class_weight),
            _weighted(judged[has_label], np.searchsorted(labels, truth[has_label]), class_weight),
        )
        probabilities = np.zeros((len(truth), self.sample.n_labels))
        probabilities[:, labels] = configured.estimator.predict_proba(judged)
        return FoldPrediction(truth, probabilities, n_rounds)

    def _matrices_for(self, chosen: Algorithm) -> _Matrices:
        """Return the matrices in the form that the algorithm takes."""
        form = (chosen.needs_scaling, chosen.accepts_missing)
        prepared = self.sample.prepared
        if (self.number, *form) not in prepared.kept:
            prepared.keep(self.number, form, self._prepare(chosen))
        return prepared.kept[self.number, *form]

    def _prepare(self, chosen: Algorithm) -> _Matrices:
        logger.debug("Prepare the columns of fold %d for %s", self.number, chosen.name)
        sample, y = self.sample, self.sample.y[self.fitted]
        folds = sample.folds[self.fitted]
        preprocessing = make_preprocessing(sample.features, chosen, sample.task, y, folds=folds)
        matrix = preprocessing.fit_transform(sample.aligned[self.fitted], y)
        return matrix, preprocessing.transform(sample.aligned[self.judged])


def _weighted(matrix: np.ndarray, y: np.ndarray, class_weight: Any) -> WeightedRows:
    return WeightedRows(matrix, y, row_weights(y, class_weight))
