"""One prediction, as a predictions file holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from mlops.models.output_columns import (
    INTERVAL_COLUMNS,
    PREDICTION_COLUMN,
    REASONS_COLUMN,
    ROW_COLUMN,
    SET_COLUMN,
    VERSION_COLUMN,
)
from mlops.models.record import Record
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.reason import Reason, labels_of_cell, reasons_of_cell

SCORED = "scored"
MISSING_REQUIRED = "missing_required"
UNREADABLE = "unreadable:"  # followed by the name of the column

RiskBand = Literal["low", "medium", "high"]
ADHERENCE_GROUP = "medication-adherence"


@dataclass(frozen=True, slots=True)
class Prediction(Record):
    """One row of a predictions file.

    `row_number` counts the rows of the scored file from 1. `row_status` is `scored`, or says why there is no
    prediction: then `prediction`, `probability` and `interval` are None. `probability` is that of the
    positive label for two classes, and of the predicted one for more; `probabilities` has all of them, and a
    regression has none. `interval` is the range that probably holds the number, None for a model without one.
    `ids` and `inputs` hold columns of the scored file as they were written. `reasons` are the columns that
    moved the prediction most, the largest first; there are none without `[output] reasons`. `prediction_set`
    are the classes of which one is probably the true one; there are none without `[classes] set_coverage`.
    """

    row_number: int
    prediction: str | float | None
    model_version: str
    probability: float | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    row_status: str = SCORED
    probabilities: Mapping[str, float] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    prediction_set: tuple[str, ...] = ()

    @classmethod
    def of_row(cls, row: Mapping[str, str], columns: PredictionColumns, threshold: float) -> Self:
        """Read one row of a predictions file.

        Parameters
        ----------
        row
            The cells by the names in the header.
        columns
            What these names are.
        threshold
            The probability from which on a row of two classes counts as positive, 0 to 1.
        """
        numbers = [float(row[name]) for name in columns.numbers if row[name]]
        cell, labels = row[PREDICTION_COLUMN], columns.labels
        further: dict[str, Any] = {}
        if len(labels) == len(numbers) == 2:
            further = cls._of_two_classes(numbers[1], threshold, is_positive=_is(cell, labels[1]))
        return cls(
            row_number=int(row[ROW_COLUMN]),
            prediction=_prediction(cell, columns),
            model_version=row[VERSION_COLUMN],
            probability=_shown_probability(numbers) if labels else None,
            ids={name: row[column] for name, column in columns.ids.items()},
            row_status=row[columns.row_status],
            probabilities=dict(zip(labels, numbers, strict=False)),
            interval=_interval(numbers) if not labels else None,
            inputs={name: row[column] for name, column in columns.inputs.items()},
            reasons=reasons_of_cell(row[REASONS_COLUMN]) if columns.has_reasons else (),
            prediction_set=labels_of_cell(row[SET_COLUMN]) if columns.has_sets else (),
            **further,
        )

    @classmethod
    def _of_two_classes(cls, probability: float, threshold: float, *, is_positive: bool) -> dict[str, Any]:  # noqa: ARG003
        """Return further fields of a prediction of two classes; this kind has none."""
        return {}


@dataclass(frozen=True, slots=True)
class MedicationAdherencePrediction(Prediction):
    """One row of the predictions of the group `medication-adherence`.

    `risk_band` is `high` where the model predicts the positive label, `medium` from half of the threshold on,
    and `low` below; None without a prediction of two classes.
    """

    risk_band: RiskBand | None = None

    @classmethod
    def _of_two_classes(cls, probability: float, threshold: float, *, is_positive: bool) -> dict[str, Any]:
        if is_positive:  # a written probability was rounded, so it does not say on which side it was
            return {"risk_band": "high"}
        return {"risk_band": "medium" if probability >= threshold / 2 else "low"}


def prediction_type(model_group: str | None) -> type[Prediction]:
    """Return what the predictions of a group are."""
    return MedicationAdherencePrediction if model_group == ADHERENCE_GROUP else Prediction


def _is(cell: str, label: str) -> bool:
    """Whether a cell holds a label, which may be written after an apostrophe."""
    return cell in (label, f"'{label}")


def _prediction(cell: str, columns: PredictionColumns) -> str | float | None:
    if not cell:
        return None
    return cell if columns.labels else float(cell)


def _shown_probability(numbers: list[float]) -> float | None:
    """Return the probability of the positive label of two, else the largest."""
    if not numbers:
        return None
    return numbers[1] if len(numbers) == 2 else max(numbers)


def _interval(numbers: list[float]) -> tuple[float, float] | None:
    return (numbers[0], numbers[1]) if len(numbers) == len(INTERVAL_COLUMNS) else None
