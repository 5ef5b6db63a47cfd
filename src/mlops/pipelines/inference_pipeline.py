"""Scoring: one table and one model directory in, predictions and a drift report out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mlops.dataset.table.values import as_texts
from mlops.dataset.validation.scoring import scoring_terms
from mlops.infrastructure.clock import utc_now
from mlops.models.drift import BaselineStatistics, BatchProfile, DriftReport
from mlops.models.errors import DatasetError, SettingsError
from mlops.models.training import (
    PREDICTION_COLUMN,
    PROBABILITY_COLUMN,
    VERSION_COLUMN,
    DataQuality,
    InferenceResult,
)
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.profiles.batch import merge, profile_batch
from mlops.monitoring.report import report as drift_page
from mlops.pages.spreadsheet import without_formula
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.scoring.data_quality import QualityCounter
from mlops.pipelines.scoring.rows_to_score import contract_of_model, open_rows

PREDICTIONS = "predictions.csv"
BATCH_PROFILE = "batch_profile.json"
DRIFT_REPORT = "drift_report.json"
DRIFT_PAGE = "drift_report.html"
DATA_QUALITY = "data_quality.json"
CONTENT_TYPES: Mapping[str, str] = {
    PREDICTIONS: "text/csv; charset=utf-8",
    BATCH_PROFILE: "application/json",
    DRIFT_REPORT: "application/json",
    DRIFT_PAGE: "text/html; charset=utf-8",
    DATA_QUALITY: "application/json",
}
UNREGISTERED = "unregistered"
_ROWS_AT_ONCE = 50_000
_RESERVED = (PREDICTION_COLUMN, PROBABILITY_COLUMN, VERSION_COLUMN)


class InferencePipeline:
    """Scores files with one model, which is loaded once.

    Parameters
    ----------
    model_path
        The model directory; its digests and library versions are checked before it is loaded.
    baseline_path
        The baseline to compare the inputs with; by default the one in the model directory.
    model_version
        What to write beside each prediction; a model that was never registered is "unregistered".

    Raises
    ------
    ArtifactError
        If the model must not or cannot be loaded.
    DriftError
        If a baseline is named that cannot be read.
    """

    def __init__(
        self,
        model_path: str | Path,
        baseline_path: str | Path | None = None,
        *,
        model_version: str = UNREGISTERED,
    ) -> None:
        self._model, self._manifest = artifacts.load_model(Path(model_path))
        self._version = model_version
        own_baseline = Path(model_path) / artifacts.BASELINE
        if baseline_path is None and own_baseline.is_file():
            baseline_path = own_baseline
        self._baseline: BaselineStatistics | None = None
        if baseline_path is not None:
            self._baseline = replace(load_baseline_statistics(baseline_path), model_version=model_version)
        schema = self._model.schema
        _refuse_reserved_ids(schema.id_columns)
        self._terms = scoring_terms(self._manifest.settings, contract_of_model(schema), schema.feature_names)

    def execute(
        self,
        input_path: str | Path | pd.DataFrame,
        output_path: str | Path,
        *,
        model_group: str | None = None,
        now: datetime | None = None,
    ) -> InferenceResult:
        """Score the rows of a table; a file in pieces, so that memory does not grow with it.

        Writes into `output_path`: `predictions.csv` (rows in the order of the file: id columns, prediction,
        probability, model version), `data_quality.json`, and with a baseline `batch_profile.json`,
        `drift_report.json` and `drift_report.html`.

        Parameters
        ----------
        input_path
            A CSV, a directory that holds one, or a frame; the target column may be absent.
        output_path
            A directory; made when absent.
        model_group
            The group to name in the drift report; by default the one that the model was trained for.
        now
            The time to write into the drift report.

        Raises
        ------
        DatasetError
            If the file cannot be read, has no rows, or lacks a column that the model needs.
        """
        directory = Path(output_path)
        directory.mkdir(parents=True, exist_ok=True)
        profile, quality = self._score_pieces(input_path, directory / PREDICTIONS)
        (directory / DATA_QUALITY).write_text(quality.to_json(), encoding="utf-8")
        drift = None
        if profile is not None and self._baseline is not None:
            group = model_group or self._manifest.model_group
            drift = self._detect(profile, self._baseline, group, now or utc_now())
            (directory / BATCH_PROFILE).write_text(profile.to_json(), encoding="utf-8")
            (directory / DRIFT_REPORT).write_text(drift.to_json(), encoding="utf-8")
            (directory / DRIFT_PAGE).write_text(drift_page.render(drift), encoding="utf-8")
        return InferenceResult(
            predictions_path=directory / PREDICTIONS,
            n_rows=quality.n_rows,
            model_version=self._version,
            task=self._model.schema.task,
            data_quality=quality,
            drift_report=drift,
        )

    def _score_pieces(
        self, source: str | Path | pd.DataFrame, target: Path
    ) -> tuple[BatchProfile | None, DataQuality]:
        """Write the predictions; the file gets its name when it is complete."""
        counter = QualityCounter(self._model.schema)
        profile: BatchProfile | None = None
        opened = open_rows(source, self._terms, self._model.schema)
        partial = target.with_name(f"{target.name}.partial")
        with partial.open("w", encoding="utf-8", newline="") as stream:
            for piece in _smaller(opened.pieces):
                scores, notes = self._model.score(piece)
                self._predictions(piece, scores).to_csv(
                    stream, index=False, header=stream.tell() == 0, lineterminator="\n"
                )
                counter.add(piece, notes)
                profile = self._profile(piece, profile)
        quality = counter.result(opened.unreadable, opened.remarks)
        if quality.n_rows == 0:
            partial.unlink()
            raise DatasetError(f"{opened.name} has no rows to score.")
        partial.replace(target)
        return profile, quality

    def _profile(self, piece: pd.DataFrame, before: BatchProfile | None) -> BatchProfile | None:
        if self._baseline is None:
            return None
        profile = profile_batch(piece, self._baseline)
        return profile if before is None else merge(before, profile)

    def _predictions(self, piece: pd.DataFrame, scores: Scores) -> pd.DataFrame:
        schema = self._model.schema
        columns: dict[str, object] = {
            name: self._shown(as_texts(piece[name])) for name in schema.id_columns if name in piece.columns
        }
        if scores.probabilities is None:
            columns[PREDICTION_COLUMN] = scores.predicted
        else:
            labels = [without_formula(label) if self._escapes else label for label in schema.labels]
            columns[PREDICTION_COLUMN] = np.array(labels, dtype=object)[scores.predicted]
            shown = 1 if schema.task == "binary" else scores.predicted
            columns[PROBABILITY_COLUMN] = scores.probabilities[np.arange(len(piece)), shown]
        columns[VERSION_COLUMN] = self._version
        return pd.DataFrame(columns, index=piece.index)

    def _shown(self, ids: pd.Series) -> pd.Series:
        """Return ids as they are written."""
        if not self._escapes:
            return ids
        renamed = {level: without_formula(level) for level in ids.cat.categories}
        is_changed = any(before != after for before, after in renamed.items())
        return ids.map(renamed) if is_changed else ids

    @property
    def _escapes(self) -> bool:
        return self._manifest.settings.output.escape_formulas

    def _detect(
        self, profile: BatchProfile, baseline: BaselineStatistics, group: str | None, now: datetime
    ) -> DriftReport:
        settings = self._manifest.settings.drift
        detector = DriftDetector(
            baseline,
            settings.threshold,
            alert_threshold=settings.alert_threshold,
            exclude_columns=settings.exclude_columns,
        )
        return detector.detect_drift(profile, created_at=now, model_group=group)


def _smaller(pieces: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Cut pieces of very many short rows, so that one matrix stays small; leave out empty ones."""
    for piece in pieces:
        for start in range(0, len(piece), _ROWS_AT_ONCE):
            yield piece.iloc[start : start + _ROWS_AT_ONCE]


def _refuse_reserved_ids(id_columns: tuple[str, ...]) -> None:
    for name in id_columns:
        if name in _RESERVED:
            raise SettingsError(
                f"An id column cannot be called {name!r}: the predictions have a column of that name."
            )
