"""Whether each row of a file can be scored, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.features.date_parts import part_name
from mlops.dataset.notation.date_formats import ISO_DATES
from mlops.dataset.table.cells import view_as_numbers
from mlops.dataset.table.dates import view_as_dates
from mlops.dataset.table.values import distinct_values, missing_cells
from mlops.models.dataset import Contract
from mlops.models.scoring.prediction import MISSING_REQUIRED, SCORED, UNREADABLE
from mlops.pipelines.artifacts.model import ModelSchema

type Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowStatuses:
    """The status of each row as a position in `names`; the first name is `scored`."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def is_scored(self) -> Marks:
        """Which rows can be scored."""
        marks: Marks = self.codes == 0
        return marks

    def counts(self) -> dict[str, int]:
        """Return how many rows have each status that occurs."""
        n_rows = np.bincount(self.codes, minlength=len(self.names)).tolist()
        return {name: n for name, n in zip(self.names, n_rows, strict=True) if n}


def row_statuses(
    frame: pd.DataFrame, unreadable: Mapping[str, Marks], schema: ModelSchema, required: Iterable[str]
) -> RowStatuses:
    """Return the status of each row; of several reasons the first one counts, in the order of the features.

    Parameters
    ----------
    frame
        The rows, with all features.
    unreadable
        Marks by column of the cells that are not what the column contains; other columns than those of the
        model do not count.
    schema, required
        The columns of the model, and those in which no value may be missing.
    """
    reasons = [
        (UNREADABLE + name, unreadable[name]) for name in columns_of_model(schema) if name in unreadable
    ]
    reasons += [(MISSING_REQUIRED, missing_cells(frame[name])) for name in required if name in frame]
    reasons.append((MISSING_REQUIRED, _without_any(frame, schema.feature_names)))
    names = (SCORED, *dict.fromkeys(reason for reason, marks in reasons if marks.any()))
    codes = np.zeros(len(frame), np.int64)
    for reason, marks in reasons:
        if marks.any():
            codes[marks & (codes == 0)] = names.index(reason)
    return RowStatuses(codes, names)


def columns_of_model(schema: ModelSchema) -> tuple[str, ...]:
    """Return the columns of a file that the model uses: features, and dates in the place of their parts."""
    made = schema.sources
    return (*(name for name in schema.feature_names if name not in made), *schema.date_parts)


def required_columns(contract: Contract, schema: ModelSchema) -> tuple[str, ...]:
    """Return the columns of a model of which `missing_share = 0` is stated: no value may be missing."""
    stated = {c.name for c in contract.columns if "missing_share" in c.stated and c.missing_share == 0.0}
    return tuple(name for name in columns_of_model(schema) if name in stated)


def unreadable_dates(frame: pd.DataFrame, schema: ModelSchema) -> dict[str, Marks]:
    """Mark by column the cells of which no part could be taken although they hold something else than a date.

    Dates beyond the years that can be counted, which often mean "never", are missing and not marked.
    """
    marks = {}
    for name, parts in schema.date_parts.items():
        lost = frame[name].notna().to_numpy() & np.isnan(frame[part_name(name, parts[0])].to_numpy())
        if lost.any():
            lost &= _is_no_date(frame[name], schema.date_formats.get(name))
        if lost.any():
            marks[name] = lost
    return marks


def _is_no_date(cells: pd.Series, date_format: str | None) -> Marks:
    codes, values = distinct_values(cells)
    texts = [str(value) for value in values]
    is_known = view_as_dates(texts, date_format or ISO_DATES).is_valid | view_as_numbers(texts).is_missing
    marks: Marks = np.append(~is_known, False)[codes]
    return marks


def _without_any(frame: pd.DataFrame, features: tuple[str, ...]) -> Marks:
    """Mark the rows in which every feature is missing."""
    empty = np.ones(len(frame), dtype=bool)
    for name in features:
        empty &= missing_cells(frame[name])
        if not empty.any():
            break
    return empty
