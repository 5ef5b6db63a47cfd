"""What is made of the outputs of a fitted model: calibrated probabilities, a threshold, intervals, sets.

All of it is learned from what models predict out of fold, so that none of it needs rows of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mlops.models.settings.classes import ClassSettings
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.settings.prediction import tables_of_another_task
from mlops.pipelines.artifacts.model import ModelSchema
from mlops.pipelines.compiled.outputs import Calibration, PredictionIntervals, PredictionSets, calibrated
from mlops.pipelines.fitting.calibration import fit_calibration
from mlops.pipelines.fitting.intervals import fit_intervals, fit_prediction_sets
from mlops.pipelines.fitting.out_of_fold import OutOfFold
from mlops.pipelines.fitting.threshold import choose_threshold


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a model has beside its estimator, None where it does not apply; `notes` are sentences.

    `classes` contains the costs by which several classes are decided.
    """

    calibration: Calibration | None = None
    threshold: float | None = None
    intervals: PredictionIntervals | None = None
    sets: PredictionSets | None = None
    classes: ClassSettings = field(default_factory=ClassSettings)
    notes: tuple[str, ...] = ()

    def complete(self, schema: ModelSchema) -> ModelSchema:
        """Return the schema with them; a sample that lacks a class gives no calibration and no sets."""
        is_calibrated = self.calibration is not None and len(self.calibration.scale) == len(schema.labels)
        has_sets = self.sets is not None and len(self.sets.thresholds) == len(schema.labels)
        return replace(
            schema,
            calibration=self.calibration if is_calibrated else None,
            threshold=self.threshold,
            intervals=self.intervals,
            sets=self.sets if has_sets else None,
            costs=self.classes.cost_matrix(schema.labels) if schema.task == "multiclass" else None,
        )


def fit_outputs(task: TaskName, judged: OutOfFold | None, settings: GroupSettings) -> Outputs:
    """Fit what the task needs to rows that the predictions were made without."""
    if judged is None:
        return Outputs(classes=settings.classes)
    y, probabilities = judged.y, judged.scores.probabilities
    stated = tables_of_another_task(settings.threshold, settings.intervals, settings.classes, task)
    notes = tuple(f"{sentence} It is not used." for sentence in stated)
    if probabilities is None:
        intervals = fit_intervals(y, judged.scores.predicted, settings.intervals.coverage)
        return Outputs(intervals=intervals, notes=notes)
    calibration, coverage = fit_calibration(y, probabilities), settings.classes.set_coverage
    sets = fit_prediction_sets(y, calibrated(probabilities, calibration), coverage) if coverage else None
    if task != "binary":
        return Outputs(calibration, sets=sets, classes=settings.classes, notes=notes)
    threshold = choose_threshold(y, probabilities[:, 1], settings.threshold)
    notes = (*notes, *([threshold.note] if threshold.note else ()))
    return Outputs(calibration, threshold.value, sets=sets, notes=notes)
