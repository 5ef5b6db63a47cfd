"""Scoring: one table and one model directory in, predictions and a drift report out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pandas as pd

from mlops.dataset.validation.row_ranges import RowRange, find_ranges, read_range
from mlops.dataset.validation.scoring import ScoringTerms, scoring_terms
from mlops.infrastructure.clock import utc_now
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.models.errors import RequestError
from mlops.models.scoring.batch_files import BATCH_PROFILE, DATA_QUALITY, DRIFT_PAGE, DRIFT_REPORT
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.result import InferenceResult
from mlops.models.scoring.scored_table import ScoredTable
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.report import report as drift_page
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.scoring.batch_rows import BatchTerms, RowCounts, RowScorer
from mlops.pipelines.scoring.data_quality import data_quality
from mlops.pipelines.scoring.predictions_file import scored_table, writing_predictions
from mlops.pipelines.scoring.ranges import RangePlan, ScoredRange, join_ranges
from mlops.pipelines.scoring.reasons import NO_REASONS, Explainer
from mlops.pipelines.scoring.request_rows import Row, frame_of_rows
from mlops.pipelines.scoring.row_status import columns_of_model
from mlops.pipelines.scoring.rows_to_score import (
    RowsToScore,
    contract_of_model,
    open_file,
    open_rows,
    with_dates,
)
from mlops.pipelines.scoring.scored_rows import score_pieces

UNREGISTERED = "unregistered"
REASONS_OF_A_REQUEST = 3


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

    @property
    def version(self) -> str:
        """What is written beside each prediction."""
        return self._version

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
        `PredictionColumns`; `predictions.csv.gz` where `[output] compression` or the file is gzip),
        `data_quality.json`, and with a baseline `batch_profile.json`,
        `drift_report.json` and `drift_report.html`. A row with a cell that cannot be read, or without a value
        that must not be missing, has no prediction; its status says why. Quality and drift count all rows.

        Parameters
        ----------
        input_path
            A CSV, a directory that contains one, or a frame; the target column may be absent.
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
        terms = self._terms(settings or self._manifest.settings)
        rows = open_rows(input_path, terms, self._model.schema)
        batch = self._batch_terms(terms.settings, rows)
        scorer = self._scorer(batch)
        with writing_predictions(batch.predictions_in(output_path)) as predictions:
            counts, read = rows.read(lambda pieces: scorer.score(pieces, predictions))
            counts.bad_rows.refuse_too_many(batch.settings.scoring, batch.name)
        return self._report(batch.after(read), counts, Path(output_path), model_group, now)

    def plan_ranges(
        self, input_path: str | Path, range_bytes: int, *, settings: GroupSettings | None = None
    ) -> RangePlan | None:
        """Return how a file is scored in ranges of about `range_bytes`; None when it must be scored at once.

        `score_range` for each range and `merge_ranges` together do what `execute` does.

        Raises
        ------
        DatasetError
            As `execute`, apart from the share of the rows that cannot be scored, which is not known yet.
        """
        terms = self._terms(settings or self._manifest.settings)
        rows = open_file(input_path, terms, self._model.schema)
        table, read = rows.check()
        ranges = find_ranges(table, range_bytes) if table else ()
        if table is None or not ranges:
            return None
        return RangePlan(self._batch_terms(terms.settings, rows).after(read), table.plan, ranges)

    def score_range(
        self, plan: RangePlan, row_range: RowRange, input_path: Path, output_path: Path
    ) -> ScoredRange:
        """Score the rows of a range; whether too many of them cannot be scored is decided by the merge.

        Parameters
        ----------
        input_path
            A file that contains the bytes of the range and nothing else.
        output_path
            The file to write the predictions of the range to.
        """
        rows = with_dates(read_range(input_path, row_range, plan.reading), self._model.schema)
        return ScoredRange(output_path, self._scorer(plan.terms).score(rows, output_path))

    def merge_ranges(
        self,
        plan: RangePlan,
        ranges: Iterable[ScoredRange],
        output_path: str | Path,
        *,
        model_group: str | None = None,
        now: datetime | None = None,
    ) -> InferenceResult:
        """Write what `execute` writes, from all ranges in the order of the file.

        Raises
        ------
        DatasetError
            If too many rows of the file cannot be scored (`[scoring] max_bad_share`).
        """
        batch = plan.terms
        with writing_predictions(batch.predictions_in(output_path)) as predictions:
            counts = join_ranges(ranges, batch.columns, predictions)
            counts.bad_rows.refuse_too_many(batch.settings.scoring, batch.name)
        return self._report(batch, counts, Path(output_path), model_group, now)

    def _report(
        self,
        batch: BatchTerms,
        counts: RowCounts,
        directory: Path,
        model_group: str | None,
        now: datetime | None,
    ) -> InferenceResult:
        """Write the reports about all rows beside the predictions."""
        schema, statuses = self._model.schema, counts.bad_rows.counts
        quality = data_quality(counts.quality, statuses, schema, batch.unreadable, batch.remarks)
        (directory / DATA_QUALITY).write_text(quality.to_json(), encoding="utf-8")
        drift, group = None, model_group or self._manifest.model_group
        if counts.profile is not None and self._baseline is not None:
            drift = self._detect(counts.profile, self._baseline, group, now or utc_now())
            (directory / BATCH_PROFILE).write_text(counts.profile.to_json(), encoding="utf-8")
            (directory / DRIFT_REPORT).write_text(drift.to_json(), encoding="utf-8")
            (directory / DRIFT_PAGE).write_text(drift_page.render(drift), encoding="utf-8")
        return InferenceResult(
            predictions_path=batch.predictions_in(directory),
            n_rows=quality.n_rows,
            model_version=self._version,
            task=schema.task,
            data_quality=quality,
            drift_report=drift,
            columns=batch.columns,
            model_group=group,
            threshold=schema.calibrated_threshold or InferenceResult.THRESHOLD,
        )

    def predict(self, rows: Sequence[Row] | Path, *, reasons: bool = False) -> ScoredTable:
        """Score rows that fit into memory; each one has a status, however many cannot be scored.

        Parameters
        ----------
        rows
            Values by column: texts, numbers, truth values; None, or no entry, where a value is missing. Or
            the path of a small file with the rows.
        reasons
            Whether the columns that moved each prediction most are named: as many as the settings of the
            training state, else three.

        Raises
        ------
        RequestError
            If no row names a column that the model needs, a value is none of these, or the model cannot give
            reasons.
        DatasetError
            If the file cannot be scored.
        """
        explainer = self._request_explainer if reasons else None
        if reasons and explainer is None:
            raise RequestError("This model cannot give reasons; send the request without them.")
        trained, schema = self._manifest.settings, self._model.schema
        output = replace(trained.output, keep_columns=(), reasons=explainer.n_reasons if explainer else 0)
        terms = self._terms(replace(trained, output=output))
        source = rows if isinstance(rows, Path) else frame_of_rows(rows, terms, columns_of_model(schema))
        opened = open_rows(source, terms, schema)
        model, contract = self._model, self._contract
        scored, _ = opened.read(lambda pieces: list(score_pieces(pieces, model, contract, explainer)))
        return scored_table(scored, self._columns(terms.settings, opened), self._version)

    @cached_property
    def _request_explainer(self) -> Explainer | None:
        """What gives the reasons for requests; of a forest it takes long to make."""
        return Explainer.of(self._model, self._manifest.settings.output.reasons or REASONS_OF_A_REQUEST)

    def _terms(self, settings: GroupSettings) -> ScoringTerms:
        """Return what a file is held against: what the model was trained with, scored as the settings say."""
        trained, schema = self._manifest.settings, self._model.schema
        stated = replace(trained, scoring=settings.scoring, output=settings.output)
        return scoring_terms(stated, self._contract, schema.feature_names)

    def _batch_terms(self, settings: GroupSettings, rows: RowsToScore) -> BatchTerms:
        has_no_reasons = settings.output.reasons > 0 and self._explainer(settings) is None
        remarks = (NO_REASONS,) if has_no_reasons else ()
        columns, is_compressed = self._columns(settings, rows), settings.output.compresses(rows.compression)
        return BatchTerms(rows.name, columns, settings, remarks=remarks, is_compressed=is_compressed)

    def _scorer(self, batch: BatchTerms) -> RowScorer:
        explainer = self._explainer(batch.settings)
        return RowScorer(self._model, self._version, self._contract, self._baseline, batch, explainer)

    def _explainer(self, settings: GroupSettings) -> Explainer | None:
        return Explainer.of(self._model, settings.output.reasons) if settings.output.reasons else None

    def _columns(self, settings: GroupSettings, rows: RowsToScore) -> PredictionColumns:
        """Return the columns of the predictions: ids as stated, else those of the contract."""
        ids = self._model.schema.id_columns or [c.name for c in self._contract.columns if c.role == "id"]
        return PredictionColumns.of(
            [name for name in ids if name in rows.columns],
            self._model.schema.labels,
            settings.scoring.row_status_column,
            settings.output.kept_of(rows.columns),
            has_reasons=settings.output.reasons > 0,
            has_sets=self._model.schema.sets is not None,
        )

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
