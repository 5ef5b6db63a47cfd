"""Scoring: one table and one model directory in, predictions and a drift report out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from mlops.dataset.validation.pieces import MarkedRows
from mlops.dataset.validation.scoring import ScoringTerms, scoring_terms
from mlops.infrastructure.clock import utc_now
from mlops.models.drift import BaselineStatistics, BatchProfile, DriftReport
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.result import DataQuality, InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.profiles.batch import merge, profile_batch
from mlops.monitoring.report import report as drift_page
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.scoring.bad_rows import BadRows
from mlops.pipelines.scoring.data_quality import QualityCounter
from mlops.pipelines.scoring.predictions_file import PredictionsWriter
from mlops.pipelines.scoring.reasons import NO_REASONS, Explainer
from mlops.pipelines.scoring.rows_to_score import RowsToScore, contract_of_model, open_rows
from mlops.pipelines.scoring.scored_rows import score_rows

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
        self._contract = contract_of_model(self._model.schema)

    def execute(
        self,
        input_path: str | Path | pd.DataFrame,
        output_path: str | Path,
        *,
        model_group: str | None = None,
        settings: GroupSettings | None = None,
        now: datetime | None = None,
    ) -> InferenceResult:
        """Score the rows of a table; a file in pieces, so that memory does not grow with it.

        Writes into `output_path`: `predictions.csv` (a row for each row of the file, in its order, see
        `PredictionColumns`), `data_quality.json`, and with a baseline `batch_profile.json`,
        `drift_report.json` and `drift_report.html`. A row with a cell that cannot be read, or without a value
        that must not be missing, has no prediction; its status says why. Quality and drift count all rows.

        Parameters
        ----------
        input_path
            A CSV, a directory that holds one, or a frame; the target column may be absent.
        output_path
            A directory; made when absent.
        model_group
            The group to name in the drift report; by default the one that the model was trained for.
        settings
            `scoring` and `output` of these settings count; by default of those of the training.
        now
            The time to write into the drift report.

        Raises
        ------
        DatasetError
            If the file cannot be read, has no rows, lacks a column that the model needs, or has too many rows
            that cannot be scored (`[scoring] max_bad_share`).
        """
        directory = Path(output_path)
        directory.mkdir(parents=True, exist_ok=True)
        terms = self._terms(settings or self._manifest.settings)
        rows = open_rows(input_path, terms, self._model.schema)
        columns = self._columns(terms.settings, rows)
        profile, quality = self._score_pieces(rows, directory / PREDICTIONS, columns, terms.settings)
        (directory / DATA_QUALITY).write_text(quality.to_json(), encoding="utf-8")
        drift, group = None, model_group or self._manifest.model_group
        if profile is not None and self._baseline is not None:
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
            columns=columns,
            model_group=group,
            threshold=self._model.schema.calibrated_threshold or InferenceResult.THRESHOLD,
        )

    def _score_pieces(
        self, opened: RowsToScore, target: Path, columns: PredictionColumns, settings: GroupSettings
    ) -> tuple[BatchProfile | None, DataQuality]:
        """Write the predictions; the file gets its name when it is complete."""
        counter, bad_rows = QualityCounter(self._model.schema), BadRows()
        n_reasons = settings.output.reasons
        explainer = Explainer.of(self._model, n_reasons) if n_reasons else None
        remarks = (*opened.remarks, *([NO_REASONS] if n_reasons and not explainer else ()))
        profile: BatchProfile | None = None
        partial = target.with_name(f"{target.name}.partial")
        try:
            with partial.open("w", encoding="utf-8", newline="") as stream:
                writer = PredictionsWriter(stream, columns, self._version, settings.output.escape_formulas)
                writer.write_header()
                for piece in _smaller(opened.pieces):
                    rows = score_rows(piece, self._model, self._contract, explainer=explainer)
                    writer.write(rows)
                    counter.add(rows)
                    bad_rows.add(rows.statuses, piece.frame.index[0])
                    profile = self._profile(piece.frame, profile)
            bad_rows.refuse_too_many(settings.scoring, opened.name)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return profile, counter.result(opened.unreadable, remarks)

    def _terms(self, settings: GroupSettings) -> ScoringTerms:
        """Return what a file is held against: what the model was trained with, scored as the settings say."""
        trained, schema = self._manifest.settings, self._model.schema
        stated = replace(trained, scoring=settings.scoring, output=settings.output)
        return scoring_terms(stated, self._contract, schema.feature_names)

    def _columns(self, settings: GroupSettings, rows: RowsToScore) -> PredictionColumns:
        """Return the columns of the predictions: ids as stated, else those of the contract."""
        in_contract = [column.name for column in self._contract.columns if column.role == "id"]
        ids = self._model.schema.id_columns or in_contract
        return PredictionColumns.of(
            [name for name in ids if name in rows.columns],
            self._model.schema.labels,
            settings.scoring.row_status_column,
            [name for name in settings.output.keep_columns if name in rows.columns],
            has_reasons=settings.output.reasons > 0,
        )

    def _profile(self, piece: pd.DataFrame, before: BatchProfile | None) -> BatchProfile | None:
        if self._baseline is None:
            return None
        profile = profile_batch(piece, self._baseline)
        return profile if before is None else merge(before, profile)

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


def _smaller(pieces: Iterable[MarkedRows]) -> Iterator[MarkedRows]:
    """Cut pieces of very many short rows, so that one matrix stays small; leave out empty ones."""
    for piece in pieces:
        for start in range(0, len(piece.frame), _ROWS_AT_ONCE):
            yield piece.part(start, start + _ROWS_AT_ONCE)
