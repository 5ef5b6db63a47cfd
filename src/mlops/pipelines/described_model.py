"""What a model directory says of its model: how files are read for it, and the reports about their rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from mlops.dataset.validation.row_ranges import find_ranges
from mlops.dataset.validation.scoring import ScoringTerms, scoring_terms
from mlops.infrastructure.clock import utc_now
from mlops.models.dataset import Contract
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.models.scoring.batch_files import BATCH_PROFILE, DATA_QUALITY, DRIFT_PAGE, DRIFT_REPORT
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.result import InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.report import report as drift_page
from mlops.pipelines.artifact_files import BASELINE
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import Model, ModelSchema
from mlops.pipelines.scoring.batch_rows import BatchTerms, RowCounts, distinct_remarks
from mlops.pipelines.scoring.data_quality import data_quality
from mlops.pipelines.scoring.predictions_file import writing_predictions
from mlops.pipelines.scoring.ranges import RangePlan, ScoredRange, join_ranges
from mlops.pipelines.scoring.rows_to_score import RowsToScore, contract_of_model, open_file

UNREGISTERED = "unregistered"


@dataclass(frozen=True)
class DescribedModel:
    """What a model directory says of its model; the files of the model itself are checked, but not loaded.

    `version` is written beside each prediction. Without a `baseline` there is no report of drift.
    """

    directory: Path
    schema: ModelSchema
    manifest: artifacts.Manifest
    baseline: BaselineStatistics | None
    version: str = UNREGISTERED

    @classmethod
    def read(
        cls, directory: Path, baseline_path: str | Path | None = None, *, version: str = UNREGISTERED
    ) -> Self:
        """Read a model directory; the baseline is by default the one in it.

        Raises
        ------
        ArtifactError
            If a file is missing, extra or changed.
        DriftError
            If a baseline is named that cannot be read.
        """
        schema, manifest = artifacts.describe_model(directory)
        own_baseline = directory / BASELINE
        if baseline_path is None and own_baseline.is_file():
            baseline_path = own_baseline
        baseline = None
        if baseline_path is not None:
            baseline = replace(load_baseline_statistics(baseline_path), model_version=version)
        return cls(directory, schema, manifest, baseline, version)

    def load(self) -> Model:
        """Load the model.

        Raises
        ------
        ArtifactError, MissingPackageError
            As `artifacts.load_model`.
        """
        return artifacts.load_described(self.directory, self.schema, self.manifest)

    @cached_property
    def contract(self) -> Contract:
        """How files to score are read."""
        return contract_of_model(self.schema)

    def terms(self, settings: GroupSettings | None) -> ScoringTerms:
        """Return what a file is held against: what the model was trained with, scored as the settings say."""
        trained = self.manifest.settings
        stated = settings or trained
        stated = replace(trained, scoring=stated.scoring, output=stated.output)
        return scoring_terms(stated, self.contract, self.schema.feature_names)

    def columns(self, settings: GroupSettings, rows: RowsToScore) -> PredictionColumns:
        """Return the columns of the predictions: ids as stated, else those of the contract."""
        ids = self.schema.id_columns or [c.name for c in self.contract.columns if c.role == "id"]
        return PredictionColumns.of(
            [name for name in ids if name in rows.columns],
            self.schema.labels,
            settings.scoring.row_status_column,
            settings.output.kept_of(rows.columns),
            has_reasons=settings.output.reasons > 0,
            has_sets=self.schema.sets is not None,
        )

    def batch_terms(self, settings: GroupSettings, rows: RowsToScore) -> BatchTerms:
        """Return what is the same for all rows of a batch."""
        is_compressed = settings.output.compresses(rows.compression)
        return BatchTerms(rows.name, self.columns(settings, rows), settings, is_compressed=is_compressed)

    def plan_ranges(
        self, input_path: str | Path, range_bytes: int, *, settings: GroupSettings | None = None
    ) -> RangePlan | None:
        """Return how a file is scored in ranges of about `range_bytes`; None when it must be scored at once.

        `InferencePipeline.score_range` for each range and `merge_ranges` together do what
        `InferencePipeline.execute` does.

        Raises
        ------
        DatasetError
            As `execute`, apart from the share of the rows that cannot be scored, which is not known yet.
        """
        terms = self.terms(settings)
        rows = open_file(input_path, terms, self.schema)
        table, read = rows.check()
        ranges = find_ranges(table, range_bytes) if table else ()
        if table is None or not ranges:
            return None
        return RangePlan(self.batch_terms(terms.settings, rows).after(read), table.plan, ranges)

    def merge_ranges(
        self,
        plan: RangePlan,
        ranges: Iterable[ScoredRange],
        output_path: str | Path,
        *,
        model_group: str | None = None,
        now: datetime | None = None,
    ) -> InferenceResult:
        """Write what `InferencePipeline.execute` writes, from all ranges in the order of the file.

        Raises
        ------
        DatasetError
            If too many rows of the file cannot be scored (`[scoring] max_bad_share`).
        """
        batch = plan.terms
        with writing_predictions(batch.predictions_in(output_path)) as predictions:
            counts = join_ranges(ranges, batch.columns, predictions)
            counts.bad_rows.refuse_too_many(batch.settings.scoring, batch.name)
        return self.report(batch, counts, Path(output_path), model_group, now)

    def report(
        self,
        batch: BatchTerms,
        counts: RowCounts,
        directory: Path,
        model_group: str | None,
        now: datetime | None,
    ) -> InferenceResult:
        """Write the reports about all rows beside the predictions."""
        schema, statuses = self.schema, counts.bad_rows.counts
        remarks = distinct_remarks(batch.remarks, counts.remarks)
        quality = data_quality(counts.quality, statuses, schema, batch.unreadable, remarks)
        (directory / DATA_QUALITY).write_text(quality.to_json(), encoding="utf-8")
        drift, group = None, model_group or self.manifest.model_group
        if counts.profile is not None and self.baseline is not None:
            drift = self._detect(counts.profile, self.baseline, group, now or utc_now())
            (directory / BATCH_PROFILE).write_text(counts.profile.to_json(), encoding="utf-8")
            (directory / DRIFT_REPORT).write_text(drift.to_json(), encoding="utf-8")
            (directory / DRIFT_PAGE).write_text(drift_page.render(drift), encoding="utf-8")
        return InferenceResult(
            predictions_path=batch.predictions_in(directory),
            n_rows=quality.n_rows,
            model_version=self.version,
            task=schema.task,
            data_quality=quality,
            drift_report=drift,
            columns=batch.columns,
            model_group=group,
            threshold=schema.calibrated_threshold or InferenceResult.THRESHOLD,
        )

    def _detect(
        self, profile: BatchProfile, baseline: BaselineStatistics, group: str | None, now: datetime
    ) -> DriftReport:
        settings = self.manifest.settings.drift
        detector = DriftDetector(
            baseline,
            settings.threshold,
            alert_threshold=settings.alert_threshold,
            exclude_columns=settings.exclude_columns,
        )
        return detector.detect_drift(profile, created_at=now, model_group=group)
