"""What was noticed in a scored file, and where its predictions are."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import ClassVar

from mlops.models.drift.report import DriftReport
from mlops.models.record import Record
from mlops.models.scoring.batch_files import open_predictions
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.prediction import SCORED, Prediction, prediction_type
from mlops.models.settings.group import TaskName


@dataclass(frozen=True, slots=True)
class DataQuality(Record):
    """What was noticed in a scoring file, column by column; `findings` says it in sentences.

    Every row of the file counts, also those that have no prediction. `unreadable_numbers` counts cells that
    are not what the column held at training; `unknown_levels` counts rows with a category that the model has
    never seen. `row_statuses` counts the rows by their status; files of releases before 0.3 have none.
    """

    n_rows: int = 0
    missing_fraction: Mapping[str, float] = field(default_factory=dict)
    unreadable_numbers: Mapping[str, int] = field(default_factory=dict)
    unknown_levels: Mapping[str, int] = field(default_factory=dict)
    unexpected_columns: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    row_statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_scored(self) -> int:
        """How many rows have a prediction."""
        return self.row_statuses.get(SCORED, 0) if self.row_statuses else self.n_rows


@dataclass(frozen=True, slots=True)
class InferenceResult(Record):
    """Where the predictions are and what was noticed; `drift_report` is None without a baseline.

    `threshold` is the probability from which on a row of two classes counts as positive.
    """

    THRESHOLD: ClassVar[float] = 0.5

    predictions_path: Path
    n_rows: int
    model_version: str
    task: TaskName
    data_quality: DataQuality
    drift_report: DriftReport | None = None
    columns: PredictionColumns = field(default_factory=PredictionColumns)
    model_group: str | None = None
    threshold: float = THRESHOLD

    def __repr__(self) -> str:
        drift = f", drift {self.drift_report.verdict}" if self.drift_report else ""
        rows = f"{self.n_rows} rows by {self.model_version}"
        return f"InferenceResult({rows}{drift}, {str(self.predictions_path)!r})"

    def predictions(self) -> Iterator[Prediction]:
        """Read the predictions file row by row, in the order of the scored file.

        Those of the group `medication-adherence` are `MedicationAdherencePrediction`s.
        """
        of_row = prediction_type(self.model_group).of_row
        with TextIOWrapper(open_predictions(self.predictions_path), "utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                yield of_row(row, self.columns, self.threshold)
