"""Training: one table in, one model directory out."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops.algorithms.cores import using_cores
from mlops.algorithms.selection import check_settings
from mlops.infrastructure.row_key import user_row_key
from mlops.models.concern import Concern
from mlops.models.dataset import Contract
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.evaluation import EvaluationDetails
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, DatasetChanges, TrainingResult
from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.profiles.segments import with_segments
from mlops.pipelines.artifact_files import (
    BASELINE,
    EVALUATION_DETAILS,
    METRICS,
    MODEL_CARD,
    ROW_KEYS,
    TRAINING_RESULT,
)
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.evaluation.champion import Champion, compare_with_champion
from mlops.pipelines.evaluation.dataset_changes import dataset_changes
from mlops.pipelines.evaluation.evaluation import EvaluatedModel, evaluate_model
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.features.row_identity import describe_rows
from mlops.pipelines.features.slicing import sliced_columns
from mlops.pipelines.features.training_rows import TrainingRows, prepare_rows
from mlops.pipelines.fitting.choosing import FittedModel, fit_model
from mlops.pipelines.fitting.date_choice import choose_date_parts
from mlops.pipelines.fitting.later_rows import judge_later_rows
from mlops.pipelines.fitting.trials import read_trials
from mlops.pipelines.model_card.card import render_card
from mlops.pipelines.scoring.output_frame import output_frame
from mlops.pipelines.scoring.reasons import held_out_contributions

logger = logging.getLogger(__name__)


class TrainingPipeline:
    """Trains and evaluates one model by a team's settings.

    Parameters
    ----------
    config
        `GroupSettings`, or a dict of the same keys in which hyperparameters may be flat or nested and
        values may be JSON strings.
    row_key
        The secret key of the group, by which a later training recognises the rows of this one; by default the
        key of the user (see `mlops.infrastructure.row_key`).
    n_jobs
        The cores to use, None for all that the process may use. They change no result.

    Raises
    ------
    SettingsError
        If the algorithm, a hyperparameter or a setting is unknown or impossible.
    """

    def __init__(
        self,
        config: GroupSettings | Mapping[str, Any] | None = None,
        *,
        row_key: bytes | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.settings = (
            config if isinstance(config, GroupSettings) else GroupSettings.from_config(config or {})
        )
        check_settings(self.settings)
        self._row_key = row_key
        self._n_jobs = n_jobs

    def execute(
        self,
        data_path: str | Path | pd.DataFrame,
        output_path: str | Path,
        *,
        contract: Contract | Mapping[str, Any] | None = None,
        champion_path: str | Path | None = None,
        champion_version: str | None = None,
        group: str | None = None,
        trials_path: str | Path | None = None,
        now: datetime | None = None,
    ) -> TrainingResult:
        """Train on a file and write the model directory.

        Parameters
        ----------
        data_path
            A CSV, a directory that contains one, or a frame.
        output_path
            The model directory; made when absent, and emptied of an older model.
        contract
            The contract of the dataset, when it came through intake: its kinds and ids count.
        champion_path, champion_version
            The model directory of the champion, for a comparison on the same held-out rows, and its name.
        group
            The name of the group, for the record.
        trials_path
            A folder with the trials of a tuning job: the best of them is taken, and nothing is searched for.
        now
            The time to write into the manifest.

        Raises
        ------
        DatasetError
            If the file cannot be read as a table.
        TrainingError
            If nothing can be learned from it; the sentence says what to change.
        """
        directory, created_at = Path(output_path), now or datetime.now(UTC)
        key = self._row_key or user_row_key()
        champion = Champion(Path(champion_path), champion_version, key) if champion_path else None
        logger.info("Read and prepare the rows")
        with using_cores(self._n_jobs):
            rows = choose_date_parts(prepare_rows(data_path, self.settings, _read_contract(contract)))
            trained = _train(rows, champion, trials_path, created_at)
        logger.info("Write the model and its card")
        _save(trained, directory, key)
        result = _result(trained, directory)
        _write_evidence(result, trained.evaluated.details, directory, group, created_at)
        return result


@dataclass(frozen=True, slots=True)
class _TrainedModel:
    """A fitted model of some rows, and all that was measured of it.

    `later_rows` says how it does on later rows, `seconds` how long it took from the fit on.
    """

    rows: TrainingRows
    fitted: FittedModel
    evaluated: EvaluatedModel
    baseline: BaselineStatistics
    comparison: ChampionComparison | None
    changes: DatasetChanges | None
    later_rows: tuple[Concern, ...]
    seconds: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be read about the rows, the fit and the model, in this order."""
        of_libraries = (f"While fitting: {text}" for text in self.fitted.warnings)
        return (
            *self.rows.notes,
            *(concern.message for concern in self.later_rows),
            *self.fitted.notes,
            *(concern.message for concern in self.evaluated.leaks),
            *of_libraries,
        )


def _read_contract(contract: Contract | Mapping[str, Any] | None) -> Contract | None:
    return Contract.from_dict(contract, strict=True) if isinstance(contract, Mapping) else contract


def _train(
    rows: TrainingRows, champion: Champion | None, trials_path: str | Path | None, created_at: datetime
) -> _TrainedModel:
    """Fit a model to the training rows, and measure it on those held out."""
    tried = read_trials(Path(trials_path)) if trials_path else None
    started = time.perf_counter()
    logger.info("Fit a model to %s rows", f"{rows.split.train.sum():,}")
    fitted = fit_model(rows, tried)
    logger.info("Evaluate %s on %d rows", fitted.configured.algorithm.name, int(rows.split.test.sum()))
    evaluated = evaluate_model(rows, fitted.model)
    comparison = _compare(champion, rows, evaluated, created_at) if champion else None
    later_rows = judge_later_rows(rows, fitted, evaluated.metrics)
    return _TrainedModel(
        rows,
        fitted,
        evaluated,
        baseline=_baseline(rows, fitted, evaluated, created_at),
        comparison=comparison,
        changes=dataset_changes(rows, champion) if champion else None,
        later_rows=later_rows,
        seconds=round(time.perf_counter() - started, 3),
    )


def _compare(
    champion: Champion, rows: TrainingRows, evaluated: EvaluatedModel, now: datetime
) -> ChampionComparison:
    # the stream after those of the evaluation, so that a champion changes none of the other numbers
    rng = np.random.default_rng(rows.settings.seed).spawn(5)[-1]
    return compare_with_champion(champion, rows, evaluated.judged, now=now, rng=rng)


def _baseline(
    rows: TrainingRows, fitted: FittedModel, evaluated: EvaluatedModel, created_at: datetime
) -> BaselineStatistics:
    training = rows.table.rows(rows.split.train)
    model, scores = fitted.model, evaluated.judged.scores
    outputs = output_frame(scores, model.schema.labels)
    has_reasons = rows.settings.output.reasons > 0
    held_out = rows.aligned[rows.split.test]
    baseline = build_baseline(
        training,
        features=[feature.name for feature in rows.selection.features],
        importance=evaluated.importance,
        outputs=outputs,
        contributions=held_out_contributions(model, held_out, scores) if has_reasons else None,
        created_at=created_at,
    )
    sliced = sliced_columns(rows.table, rows.settings)
    return with_segments(
        baseline,
        training.frame,
        [name for name in sliced if rows.table.columns[name].kind != "date"],
        held_out=rows.table.rows(rows.split.test).frame,
        outputs=outputs,
    )


def _save(trained: _TrainedModel, directory: Path, key: bytes | None) -> None:
    """Write the model, and with a key what recognises its rows."""
    is_xgboost = trained.fitted.configured.algorithm.package == "xgboost"
    artifacts.save_model(trained.fitted.model, directory, is_xgboost=is_xgboost)
    if key is not None:
        describe_rows(trained.rows, key).save(directory / ROW_KEYS)


def _result(trained: _TrainedModel, directory: Path) -> TrainingResult:
    rows, fitted, evaluated = trained.rows, trained.fitted, trained.evaluated
    return TrainingResult(
        metrics=evaluated.metrics,
        baseline=trained.baseline,
        model_path=directory,
        baseline_path=directory / BASELINE,
        algorithm=fitted.configured.algorithm.name,
        hyperparameters=fitted.configured.hyperparameters,
        settings=rows.settings,
        task=rows.problem.task,
        target=rows.problem.target,
        features=fitted.model.schema.feature_names,
        dropped_columns=rows.selection.dropped,
        n_rows_train=int(rows.split.train.sum()),
        n_rows_test=int(rows.split.test.sum()),
        library_versions=artifacts.library_versions(fitted.configured.algorithm.name),
        dataset_digest=rows.table.sha256,
        split=rows.split.description,
        warnings=trained.warnings,
        concerns=(*trained.later_rows, *trained.evaluated.leaks),
        comparison=trained.comparison,
        gate=judge(evaluated.metrics, trained.comparison, rows.settings.gate),
        changes=trained.changes,
        feature_importance=evaluated.importance,
        contenders=fitted.contenders,
        trials=fitted.trials,
        duration_seconds=trained.seconds,
    )


def _write_evidence(
    result: TrainingResult,
    details: EvaluationDetails,
    directory: Path,
    group: str | None,
    created_at: datetime,
) -> None:
    """Write the documents beside the model files, the manifest last."""
    documents = {
        METRICS: result.metrics,
        BASELINE: result.baseline,
        EVALUATION_DETAILS: details,
        TRAINING_RESULT: replace(result, model_path=Path(), baseline_path=Path(BASELINE)),
    }
    for name, document in documents.items():
        (directory / name).write_text(document.to_json(), encoding="utf-8")
    page = render_card(result, details, group=group, created_at=created_at)
    (directory / MODEL_CARD).write_text(page, encoding="utf-8")
    manifest = artifacts.Manifest(
        files={},
        library_versions=result.library_versions,
        algorithm=result.algorithm,
        task=result.task,
        target=result.target,
        features=result.features,
        created_at=created_at,
        dataset_digest=result.dataset_digest,
        settings=result.settings,
        model_group=group,
    )
    artifacts.write_manifest(manifest, directory)
