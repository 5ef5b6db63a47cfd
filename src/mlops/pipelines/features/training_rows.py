"""The rows of one training: read, with their target, divided, and brought to the form that a model takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from mlops.algorithms.selection import check_settings
from mlops.dataset.features.date_parts import date_part_values
from mlops.dataset.features.texts import numbers_of_words
from mlops.dataset.privacy import is_accepted_before, names_a_person, personal_by_name, personal_by_values
from mlops.dataset.table.column_names import named_roles
from mlops.dataset.table.table import Table, unreadable_notes
from mlops.dataset.validation.reading import load_with_contract
from mlops.models.dataset import Contract
from mlops.models.errors import TrainingError
from mlops.models.settings.columns import DatePart
from mlops.models.settings.group import GroupSettings
from mlops.models.target.task import MIN_TRAINING_ROWS
from mlops.pipelines.artifacts.model import ModelSchema, align
from mlops.pipelines.features.features import (
    FeatureSelection,
    date_formats,
    refuse_unknown_directions,
    select_date_parts,
    select_features,
    select_texts,
)
from mlops.pipelines.features.slicing import slice_notes
from mlops.pipelines.features.splitting import Split, split_rows
from mlops.pipelines.features.task import Problem, define_problem, target_of, trained_labels_first

_NOT_JOINED = (
    "[features] names the service {service}, which adds no column here: files are joined on a stack only. "
    "The model learns from the columns of the file; `mlops features history` joins them."
)


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What a training learns from and is judged on.

    `table` contains the rows as read, `aligned` the features in the model's form, row by row the same;
    `notes` say what was assumed and left out; `contract` is the one that the rows were read by.
    """

    settings: GroupSettings
    table: Table
    aligned: pd.DataFrame
    problem: Problem
    split: Split
    selection: FeatureSelection
    date_parts: Mapping[str, tuple[DatePart, ...]]
    notes: tuple[str, ...]
    contract: Contract | None = None

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
            date_parts=self.date_parts,
            date_formats=date_formats(self.table, self.date_parts),
            pooled_labels=dict.fromkeys(problem.classes.pooled, problem.classes.other),
            dropped_labels=problem.classes.dropped,
            contract=self.contract,
        )


def prepare_rows(
    source: str | os.PathLike[str] | pd.DataFrame, settings: GroupSettings, contract: Contract | None = None
) -> TrainingRows:
    """Read the rows, define the problem, hold rows out and choose the features, in that order.

    Parameters
    ----------
    source
        A CSV, a directory that contains one, or a frame.
    settings
        Those of the group.
    contract
        The contract of the dataset, when it came through intake: its kinds and ids count.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table.
    TrainingError
        If nothing can be learned from it; the sentence says what to change.
    """
    accepted_with = contract
    table, contract = load_with_contract(source, settings, contract)
    notes = [*unreadable_notes(table.unreadable), *_personal_notes(table, settings, accepted_with)]
    if settings.features.service is not None and accepted_with is None:
        notes.append(_NOT_JOINED.format(service=settings.features.service))
    table, more = _with_target(table, settings)
    notes += more
    problem = define_problem(table[target_of(table)], settings)
    table, problem = table.rows(problem.used), problem.rows(problem.used)
    check_settings(settings, problem.task)
    split = split_rows(table, settings)
    parts, unused = select_date_parts(table, split.train, settings.date_parts)
    notes += [*_division_notes(problem, split, unused), *slice_notes(table, settings)]
    problem = trained_labels_first(problem, split.train)
    table = table.with_numbers(date_part_values(table.frame, parts, date_formats(table, parts)))
    table = table.with_numbers(numbers_of_words(table.frame, select_texts(table, settings.text_columns)))
    selection = select_features(table, split.train)
    refuse_unknown_directions(table, settings.monotonic)
    aligned, _ = align(table.frame, selection.features)
    return TrainingRows(settings, table, aligned, problem, split, selection, parts, tuple(notes), contract)


def _division_notes(problem: Problem, split: Split, unused_dates: list[str]) -> Iterator[str]:
    """Say which classes, rows and dates have no part in the training as they are."""
    if problem.classes.warning:
        yield problem.classes.warning
    if split.n_left_out:
        yield f"{split.n_left_out} rows are in neither part, because their group is on the other side."
    if unused_dates:
        yield f"Dates are not used as they are: {', '.join(unused_dates)}."


def _with_target(table: Table, settings: GroupSettings) -> tuple[Table, list[str]]:
    """Leave out the rows without a target, and note what was assumed."""
    target, notes = target_of(table), []
    if settings.target is None:
        notes.append(f"No target is set; the column {target!r} was taken.")
    if absent := [name for name in settings.exclude_columns if name not in table.columns]:
        notes.append(f"exclude_columns names columns that the file does not have: {', '.join(absent)}.")
    has_target = table[target].notna().to_numpy()
    if not has_target.all():
        notes.append(f"{int((~has_target).sum())} rows have no value of {target!r} and were left out.")
    if has_target.sum() < MIN_TRAINING_ROWS:
        raise TrainingError(
            f"The file has {int(has_target.sum())} usable rows; at least {MIN_TRAINING_ROWS} are needed."
        )
    return table.rows(has_target), notes


def _personal_notes(table: Table, settings: GroupSettings, contract: Contract | None) -> list[str]:
    """Say which columns contain personal data, as the rule `pii` does.

    Parameters
    ----------
    contract
        The contract that the file was accepted with; None when it did not come through intake.
    """
    roles = named_roles(table.names, settings, contract)
    declared_ids = () if roles.are_ids_assumed else roles.ids
    notes = []
    for column in table.columns.values():
        if column.role == "excluded" or column.is_number or column.name in declared_ids:
            continue
        if is_accepted_before(column.name, contract):
            continue
        if column.personal:
            notes.append(personal_by_values(column.name, column.personal))
        elif names_a_person(column.name) and column.kind not in ("category", "boolean"):
            notes.append(personal_by_name(column.name))
    return notes
