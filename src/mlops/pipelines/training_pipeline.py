"""Training: one table in, one model directory out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops.algorithms.selection import check_settings
from mlops.infrastructure.row_key import user_row_key
from mlops.models.dataset import Contract
from mlops.models.drift import BaselineStatistics
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, DatasetChanges, TrainingResult
from mlops.monitoring.profiles.baseline import build_baseline
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.evaluation.champion import Champion, compare_with_champion
from mlops.pipelines.evaluation.dataset_changes import dataset_changes
from mlops.pipelines.evaluation.evaluation import EvaluatedModel, evaluate_model
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.features.row_identity import describe_rows
from mlops.pipelines.features.training_rows import TrainingRows, prepare_rows
from mlops.pipelines.fitting.choosing import FittedModel, fit_model
from mlops.pipelines.fitting.fitting import limited_threads
from mlops.pipelines.fitting.later_rows import later_rows_notes
from mlops.pipelines.fitting.trials import read_trials
from mlops.pipelines.model_card.evidence import write_evidence


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

    Raises
    ------
    SettingsError
        If the algorithm, a hyperparameter or a setting is unknown or impossible.
    """

    def __init__(
        self, config: GroupSettings | Mapping[str, Any] | None = None, *, row_key: bytes | None = None
    ) -> None:
        self.settings = (
            config if isinstance(config, GroupSettings) else GroupSettings.from_config(config or {})
        )
        check_settings(self.settings)
        self._row_key = row_key

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
            A CSV, a directory that holds one, or a frame.
        output_path
            The model directory; made when absent, and emptied of an older model.
        contract
            The contract of the dataset, when it came through intake: its kinds and ids count.
        champion_path
            The model directory of the champion, for a comparison on the same held-out rows.
        champion_version, group
            Names for the record.
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
        expected = Contract.from_dict(contract, strict=True) if isinstance(contract, Mapping) else contract
        rows = prepare_rows(data_path, self.settings, expected)
        key = self._row_key or user_row_key()
        champion = Champion(Path(champion_path), champion_version, key) if champion_path else None
        tried = read_trials(Path(trials_path)) if trials_path else None
        started = time.perf_counter()
        with limited_threads(rows.table.frame):
            fitted = fit_model(rows, tried)
            evaluated = evaluate_model(rows, fitted.model)
            comparison = _compare(champion, rows, evaluated, created_at)
            later_rows = later_rows_notes(rows, fitted, evaluated.metrics)
        fitted = replace(fitted, notes=(*later_rows, *fitted.notes))
        is_xgboost = fitted.configured.algorithm.package == "xgboost"
        artifacts.save_model(fitted.model, directory, is_xgboost=is_xgboost)
        if key is not None:
            describe_rows(rows, key).save(directory / artifacts.ROW_KEYS)
        baseline = _baseline(rows, evaluated, created_at)
        changes = dataset_changes(rows, champion) if champion else None
        seconds = round(time.perf_counter() - started, 3)
        result = _result(
            rows,
            fitted,
            evaluated,
            baseline,
            comparison=comparison,
            directory=directory,
            changes=changes,
            seconds=seconds,
        )
        write_evidence(result, evaluated.details, directory, group, created_at)
        return result


def _compare(
    champion: Champion | None, rows: TrainingRows, evaluated: EvaluatedModel, now: datetime
) -> ChampionComparison | None:
    if champion is None:
        return None
    # the stream after those of the evaluation, so that a champion changes none of the other numbers
    rng = np.random.default_rng(rows.settings.seed).spawn(5)[-1]
    return compare_with_champion(champion, rows, evaluated.scores, now=now, rng=rng)


def _baseline(rows: TrainingRows, evaluated: EvaluatedModel, created_at: datetime) -> BaselineStatistics:
    features = rows.selection.features
    return build_baseline(
        rows.table.rows(rows.split.train),
        features=[feature.name for feature in features],
        importance=evaluated.importance,
        created_at=created_at,
    )


def _result(
    rows: TrainingRows,
    fitted: FittedModel,
    evaluated: EvaluatedModel,
    baseline: BaselineStatistics,
    *,
    comparison: ChampionComparison | None,
    directory: Path,
    changes: DatasetChanges | None,
    seconds: float,
) -> TrainingResult:
    task = rows.problem.task
    return TrainingResult(
        metrics=evaluated.metrics,
        baseline=baseline,
        model_path=directory,
        baseline_path=directory / artifacts.BASELINE,
        algorithm=fitted.configured.algorithm.name,
        hyperparameters=fitted.configured.hyperparameters,
        settings=rows.settings,
        task=task,
        target=rows.problem.target,
        features=fitted.model.schema.feature_names,
        dropped_columns=rows.selection.dropped,
        n_rows_train=int(rows.split.train.sum()),
        n_rows_test=int(rows.split.test.sum()),
        library_versions=artifacts.library_versions(fitted.configured.algorithm.name),
        dataset_digest=rows.table.sha256,
        split=rows.split.description,
        warnings=(
            *rows.notes,
            *fitted.notes,
            *evaluated.leaks,
            *(f"While fitting: {text}" for text in fitted.warnings),
        ),
        comparison=comparison,
        gate=judge(evaluated.metrics, comparison, rows.settings.gate),
        changes=changes,
        feature_importance=evaluated.importance,
        contenders=fitted.contenders,
        trials=fitted.trials,
        duration_seconds=seconds,
    )
