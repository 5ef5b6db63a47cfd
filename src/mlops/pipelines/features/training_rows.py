"""The rows of one training: read, with their target, divided, and brought to the form that a model takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mlops.algorithms.selection import check_settings
from mlops.models.errors import TrainingError
from mlops.models.settings.group import DatePart, GroupSettings
from mlops.pipelines.features.date_parts import DateParts, wanted_parts, with_date_parts
from mlops.pipelines.features.features import FeatureSelection, raw_dates, select_features
from mlops.pipelines.features.schema import ModelSchema, align
from mlops.pipelines.features.splitting import Split, fold_numbers, require_columns, split_rows
from mlops.pipelines.features.tables import read_training_table
from mlops.pipelines.features.task import Problem, define_problem, resolve_target, trained_labels_first

MIN_ROWS = 30


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What a training learns from and is judged on.

    `frame` holds the rows as read, `aligned` the features in the model's form, row by row the same; `notes`
    say what was assumed and left out.
    """

    settings: GroupSettings
    source: Path
    frame: pd.DataFrame
    aligned: pd.DataFrame
    problem: Problem
    split: Split
    selection: FeatureSelection
    date_parts: DateParts
    notes: tuple[str, ...]

    def folds(self, n_folds: int) -> np.ndarray:
        """Return the fold of each training row; persons and groups stay whole."""
        return fold_numbers(self.split.identities[self.split.train], n_folds)

    def schema(self, threshold: float | None) -> ModelSchema:
        """Return the schema of a model of these rows."""
        problem = self.problem
        return ModelSchema(
            task=problem.task,
            target=problem.target,
            features=self.selection.features,
            id_columns=self.settings.id_columns,
            ignored_columns=tuple(self.selection.dropped),
            labels=problem.labels[: problem.n_trained_labels],
            threshold=threshold,
            date_parts={name: tuple(parts) for name, parts in self.date_parts.items()},
        )


def prepare_rows(source: Path, settings: GroupSettings) -> TrainingRows:
    """Read the file, define the problem, hold rows out and choose the features, in that order.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table.
    TrainingError
        If nothing can be learned from it; the sentence says what to change.
    """
    frame = read_training_table(source, settings)
    require_columns(frame, settings)
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
    train = frame[split.train]
    parts = _date_parts(train, target, settings, notes)
    frame, train = with_date_parts(frame, parts), with_date_parts(train, parts)
    selection = select_features(train, target, settings)
    aligned, _ = align(frame, selection.features)
    return TrainingRows(settings, source, frame, aligned, problem, split, selection, parts, tuple(notes))


def _date_parts(
    train: pd.DataFrame, target: str, settings: GroupSettings, notes: list[str]
) -> dict[str, tuple[DatePart, ...]]:
    """Return the parts of dates that become features, and note which dates are not used at all."""
    dates = raw_dates(train, target, settings)
    parts = wanted_parts(train, dates, settings.date_parts)
    if unused := [name for name in dates if name not in parts]:
        notes.append(f"Dates are not used as they stand: {', '.join(unused)}.")
    return parts


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
    return frame if has_target.all() else frame[has_target].reset_index(drop=True), notes
