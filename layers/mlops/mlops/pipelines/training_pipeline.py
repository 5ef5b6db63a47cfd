"""Training: one CSV in, one model directory out."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops.errors import ArtifactError, DatasetError, TrainingError
from mlops.models.evaluation import EvaluationDetails
from mlops.models.group_settings import GroupSettings
from mlops.models.training import ChampionComparison, TrainingResult
from mlops.monitoring.profile import build_baseline
from mlops.pipelines import artifacts
from mlops.pipelines.algorithms import algorithm, check_settings, effective_hyperparameters
from mlops.pipelines.archive import sha256_of
from mlops.pipelines.choosing import N_FOLDS, choose
from mlops.pipelines.evaluation import compare, dummy_scores, evaluate, over_labels
from mlops.pipelines.evaluation_details import describe_evaluation
from mlops.pipelines.evidence import write_evidence
from mlops.pipelines.features import RAW_DATE, FeatureSelection, select_features
from mlops.pipelines.fitting import Fit, fit_pipeline, worthwhile_threads
from mlops.pipelines.importance import permutation_importance
from mlops.pipelines.leakage import leak_warnings, single_feature_scores
from mlops.pipelines.model import Model, Scores
from mlops.pipelines.schema import ModelSchema, align
from mlops.pipelines.splitting import Split, fold_numbers, require_columns, split_rows
from mlops.pipelines.tables import find_table, read_training_table
from mlops.pipelines.task import Problem, define_problem, resolve_target, trained_labels_first

MIN_ROWS = 30


class TrainingPipeline:
    """Trains and evaluates one model by a team's settings.

    Parameters
    ----------
    config
        `GroupSettings`, or a dict of the same keys in which hyperparameters may stand flat or nested and
        values may be JSON strings.

    Raises
    ------
    SettingsError
        If the algorithm, a hyperparameter or a setting is unknown or impossible.
    """

    def __init__(self, config: GroupSettings | Mapping[str, Any] | None = None) -> None:
        given = {} if config is None else config
        self.settings = given if isinstance(given, GroupSettings) else GroupSettings.from_config(given)
        check_settings(self.settings)

    def execute(
        self,
        data_path: str | Path,
        output_path: str | Path,
        *,
        champion_path: str | Path | None = None,
        champion_version: str | None = None,
        group: str | None = None,
        now: datetime | None = None,
    ) -> TrainingResult:
        """Train on a file and write the model directory.

        Parameters
        ----------
        data_path
            A CSV, or a directory that holds one.
        output_path
            The model directory; made when absent, and emptied of an older model.
        champion_path
            The model directory of the champion, for a comparison on the same held-out rows.
        champion_version, group
            Names for the record.
        now
            The time to write into the manifest.

        Raises
        ------
        DatasetError
            If the file cannot be read as a table.
        TrainingError
            If nothing can be learned from it; the sentence says what to change.
        """
        source = find_table(Path(data_path))
        directory, created_at = Path(output_path), now or datetime.now(UTC)
        run = _Run.prepare(source, self.settings)
        champion = _Champion(Path(champion_path), champion_version) if champion_path else None
        with _limited_threads(run.frame):
            result, details = run.train(directory, champion, created_at=created_at)
        write_evidence(result, details, directory, group, created_at)
        return result


@dataclass(frozen=True, slots=True)
class _Champion:
    path: Path
    version: str | None


@dataclass(frozen=True, slots=True)
class _Run:
    """One training run: the rows, what is to be learned from them, and which of them are held out."""

    settings: GroupSettings
    source: Path
    frame: pd.DataFrame
    problem: Problem
    split: Split
    selection: FeatureSelection
    notes: tuple[str, ...]

    @classmethod
    def prepare(cls, source: Path, settings: GroupSettings) -> _Run:
        """Read the file, define the problem, hold rows out and choose the features, in that order."""
        frame = read_training_table(source, settings)
        require_columns(frame, _named_columns(settings))
        target = resolve_target(list(map(str, frame.columns)), settings)
        frame, notes = _with_target(frame, target, settings)
        problem = define_problem(frame[target], settings)
        check_settings(settings, problem.task)
        split = split_rows(frame, target, settings)
        if split.n_left_out:
            notes.append(
                f"{split.n_left_out} rows are in neither part, because their group is on the other side."
            )
        problem = trained_labels_first(problem, split.train)
        selection = select_features(frame[split.train], target, settings)
        return cls(settings, source, frame, problem, split, selection, tuple(notes))

    def train(
        self, directory: Path, champion: _Champion | None, *, created_at: datetime
    ) -> tuple[TrainingResult, EvaluationDetails]:
        """Fit, evaluate, compare, and save the model files."""
        started = time.perf_counter()
        features, task = self.selection.features, self.problem.task
        aligned, _ = align(self.frame, features)
        train, test = self.split.train, self.split.test
        y_train, y_test = self.problem.y[train], self.problem.y[test]
        choice = choose(aligned[train], y_train, self._folds(), features, self.settings, task)
        settings = choice.settings
        fit = fit_pipeline(aligned[train], y_train, features, settings, task)
        model = Model(self._schema(choice.threshold), fit.pipeline)
        scores = over_labels(model.score_aligned(aligned[test]), len(self.problem.labels))
        rng = np.random.default_rng(settings.seed)
        metrics = evaluate(
            self.problem,
            y_test,
            scores,
            dummy_scores(self.problem, y_train, len(y_test)),
            members=self.split.members[test],
            threshold=model.schema.threshold,
            rng=rng,
        )
        comparison = self._compare(champion, scores, rng) if champion else None
        alone = single_feature_scores(aligned[train], y_train, task, rng=rng)
        importance = permutation_importance(model, aligned[test], y_test, alone, rng=rng)
        details = describe_evaluation(
            self.problem, y_test, scores, aligned[test], importance, members=self.split.members[test], rng=rng
        )
        artifacts.save_model(model, directory, is_xgboost=algorithm(settings.algorithm).package == "xgboost")
        baseline = build_baseline(
            self.frame[train],
            features=[feature.name for feature in features],
            importance=importance,
            kinds={feature.name: feature.kind for feature in features},
            created_at=created_at,
        )
        result = TrainingResult(
            metrics=metrics,
            baseline=baseline,
            model_path=directory,
            baseline_path=directory / artifacts.BASELINE,
            algorithm=algorithm(settings.algorithm).name,
            hyperparameters=effective_hyperparameters(settings, task),
            settings=self.settings,
            task=task,
            target=self.problem.target,
            features=model.schema.feature_names,
            dropped_columns=self.selection.dropped,
            n_rows_train=int(train.sum()),
            n_rows_test=int(test.sum()),
            library_versions=artifacts.library_versions(settings.algorithm),
            dataset_digest=sha256_of(self.source),
            split=self.split.description,
            warnings=self._warnings(fit, leak_warnings(alone, task)),
            comparison=comparison,
            feature_importance=importance,
            contenders=choice.contenders,
            duration_seconds=round(time.perf_counter() - started, 3),
        )
        return result, details

    def _schema(self, threshold: float | None) -> ModelSchema:
        problem = self.problem
        return ModelSchema(
            task=problem.task,
            target=problem.target,
            features=self.selection.features,
            id_columns=self.settings.id_columns,
            ignored_columns=tuple(self.selection.dropped),
            labels=problem.labels[: problem.n_trained_labels],
            threshold=threshold,
        )

    def _folds(self) -> np.ndarray:
        train = self.frame[self.split.train]
        return fold_numbers(train, self.problem.target, self.settings, N_FOLDS)

    def _compare(self, champion: _Champion, scores: Scores, rng: np.random.Generator) -> ChampionComparison:
        """Score the champion on our held-out rows; one that cannot be scored fails nothing, but is named."""
        test = self.split.test
        try:
            model, _ = artifacts.load_model(champion.path)
            reason = _why_not_comparable(model.schema, self.problem)
            if reason:
                return ChampionComparison(champion.version, reason=reason)
            theirs, _ = model.score(self.frame[test])
        except (ArtifactError, DatasetError) as error:
            return ChampionComparison(champion.version, reason=str(error))
        return compare(
            self.problem,
            self.problem.y[test],
            scores,
            _in_order_of(self.problem.labels, theirs, model.schema),
            members=self.split.members[test],
            rng=rng,
            champion_version=champion.version,
        )

    def _warnings(self, fit: Fit, leaks: list[str]) -> tuple[str, ...]:
        dates = [name for name, reason in self.selection.dropped.items() if reason == RAW_DATE]
        unused = [f"Dates are not used as they stand: {', '.join(dates)}."] if dates else []
        return (*self.notes, *leaks, *unused, *(f"While fitting: {text}" for text in fit.warnings))


def _limited_threads(frame: pd.DataFrame) -> AbstractContextManager[Any]:
    """Limit the threads of those without `n_jobs`, as HistGradientBoosting and BLAS."""
    import sklearn  # noqa: F401, PLC0415  brings the OpenMP that is to be limited

    threadpoolctl: Any = importlib.import_module("threadpoolctl")  # has no type hints
    limits: AbstractContextManager[Any] = threadpoolctl.threadpool_limits(worthwhile_threads(frame))
    return limits


def _named_columns(settings: GroupSettings) -> list[str]:
    names = [*settings.id_columns, *settings.group_columns]
    return [*names, settings.time_column] if settings.time_column else names


def _with_target(frame: pd.DataFrame, target: str, settings: GroupSettings) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the rows without a target, and note what was assumed."""
    notes = []
    if settings.target is None:
        notes.append(f"No target is set; the column {target!r} was taken.")
    if absent := [name for name in settings.exclude_columns if name not in frame.columns]:
        notes.append(f"exclude_columns names columns that the file does not have: {', '.join(absent)}.")
    has_target = frame[target].notna().to_numpy()
    if not has_target.all():
        notes.append(f"{int((~has_target).sum())} rows have no value of {target!r} and were left out.")
    if has_target.sum() < MIN_ROWS:
        raise TrainingError(
            f"The file has {int(has_target.sum())} usable rows; at least {MIN_ROWS} are needed."
        )
    return frame[has_target].reset_index(drop=True), notes


def _why_not_comparable(champion: ModelSchema, problem: Problem) -> str | None:
    if champion.target != problem.target:
        return f"it predicts {champion.target!r}, the candidate {problem.target!r}."
    if champion.task != problem.task:
        return f"it was trained for a {champion.task} task, the candidate for a {problem.task} one."
    if not set(champion.labels) <= set(problem.labels) or (
        problem.task == "binary" and champion.labels != problem.labels
    ):
        return f"its classes are {', '.join(champion.labels)}, those here {', '.join(problem.labels)}."
    return None


def _in_order_of(labels: tuple[str, ...], scores: Scores, schema: ModelSchema) -> Scores:
    """Rewrite the champion's label positions as positions in our labels."""
    if scores.probabilities is None:
        return scores
    places = np.array([labels.index(label) for label in schema.labels])
    probabilities = np.zeros((len(scores.predicted), len(labels)))
    probabilities[:, places] = scores.probabilities
    return Scores(places[scores.predicted], probabilities)
