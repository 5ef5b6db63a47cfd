"""Which rows are held out. Membership depends on what a row is, never on its place in the file.

A row, person or group that was trained on once is trained on in every later training, too: a file that grew
by new rows moves no old one to the other side (but for a time split, whose cut moves on with time). Nor does
another seed, and the part of a smaller `test_fraction` is within that of a greater one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api import types
from pandas.util import hash_array, hash_pandas_object

from mlops.dataset.features.date_parts import moments, unreadable_dates
from mlops.dataset.table.column_names import first_id_before
from mlops.dataset.table.table import Table
from mlops.dataset.table.values import as_numbers, as_texts
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.nearest import nearest
from mlops.models.training import N_FOLDS
from mlops.pipelines.artifacts.row_keys import TimeCut

_FEW = 20  # identities
_FIRST_ROWS = 1_000
# changing either moves rows between the parts in every group that there is
_SPLIT, _FOLDS = "0/", "0/folds"


@dataclass(frozen=True, slots=True)
class Split:
    """The two parts as boolean masks, how they were made, and who belongs together.

    A row may be in neither part. `members` numbers the group, id or content that each row belongs to, and
    `folds` is the fold of each row (0..N_FOLDS-1); groups stay whole. Folds follow one another in time when
    `has_folds_in_time` (by time without groups), otherwise they are the same in every file. `time_cut` is
    where a split by time divides the rows.
    """

    train: np.ndarray
    test: np.ndarray
    members: np.ndarray
    folds: np.ndarray
    description: str
    time_cut: TimeCut | None = None
    has_folds_in_time: bool = False

    @property
    def n_left_out(self) -> int:
        """Rows that are in neither part."""
        return int((~(self.train | self.test)).sum())


def split_rows(table: Table, settings: GroupSettings) -> Split:
    """Divide the rows into a training and a held-out part.

    The last rows when the settings say that the file is in the order of time. By time when a time column is
    named: the last part is held out. By group when group columns are named:
    no group is on both sides. With both, a group on both sides of the cut keeps one side, chosen by its hash,
    and its other rows are left out. Otherwise by the hash of the id columns, or of the row's content.

    Parameters
    ----------
    table
        All rows; a column that the settings name must exist. The target has no part in a row's identity,
        because labels get corrected.
    settings
        `split`, `time_column`, `group_columns`, `id_columns` and `test_fraction` are used; `seed` is not, or
        a champion of another seed would have been trained on rows that are held out here.

    Raises
    ------
    TrainingError
        If a named column is absent, a part stays empty, or the time column cannot be read.
    """
    _require_columns(table.names, settings)
    identities = _identities(table, settings)
    members = pd.factorize(identities)[0]
    if not members.any():
        raise TrainingError(
            f"All {len(table)} rows are alike in {_identity_name(settings)} (but for the target); "
            "at least two different ones are needed, and some hundred to learn from."
        )
    if settings.split == "last_rows":
        split = _split_by_order(table, settings, identities, members)
    elif settings.time_column:
        split = _split_by_time(table, settings, identities, members)
    else:
        split = _split_by_identity(settings, identities, members)
    if split.train.any() and split.test.any():
        return split
    missing = "train on" if split.test.any() else "test on"
    raise TrainingError(
        f"The split {split.description} leaves no rows to {missing}; "
        "add rows, or name other group or time columns."
    )


def _held_out(positions: np.ndarray, test_fraction: float) -> np.ndarray:
    """Mark the rows below the fraction; of very few groups at least one is on each side."""
    is_test: np.ndarray = positions < test_fraction
    if is_test.any() != is_test.all() or len(np.unique(positions)) >= _FEW:
        return is_test
    extreme: np.ndarray = positions < positions.max() if is_test.all() else positions == positions.min()
    return extreme


def _fold_numbers(identities: np.ndarray) -> np.ndarray:
    """Return the fold of each row; very few groups take turns, so that no fold has them all."""
    positions = _positions(identities, _FOLDS)
    distinct, turns = np.unique(positions, return_inverse=True)
    if len(distinct) < _FEW:
        return np.asarray(turns % N_FOLDS)
    folds: np.ndarray = np.minimum((positions * N_FOLDS).astype(int), N_FOLDS - 1)
    return folds


def folds_by_time(times: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return folds that follow one another in time, about equally large.

    Parameters
    ----------
    times
        The time of each row; NaN counts as the earliest.
    train
        Marks the training rows: they alone decide where a fold begins.
    """
    moments = np.where(np.isnan(times), -np.inf, times)
    ordered = np.sort(moments[train])
    starts = ordered[[len(ordered) * fold // N_FOLDS for fold in range(1, N_FOLDS)]]
    return np.searchsorted(starts, moments, side="right")


def _require_columns(names: Sequence[str], settings: GroupSettings) -> None:
    """Refuse settings whose split or slices depend on columns that the file does not have.

    Raises
    ------
    TrainingError
        If a column is missing; all missing ones are named.
    """
    needed = [*settings.id_columns, *settings.group_columns]
    needed += [settings.time_column] if settings.time_column else []
    needed += settings.slices.columns
    missing = [name for name in needed if name not in names]
    if missing:
        raise TrainingError(
            f"The settings name columns that the file does not have: {', '.join(missing)}. "
            f"{nearest(missing[0], names)}"
        )


def _identities(table: Table, settings: GroupSettings) -> np.ndarray:
    """Return a hash per row, the same for equal rows in every file: of group, id, or content."""
    names = settings.group_columns or settings.id_columns
    if not names:
        return _numbered_if_few(_content_hash(table))
    texts = pd.concat([_without_gaps(table[name]) for name in names], axis=1)
    is_nameless = (texts == "").all(axis=1).to_numpy()
    hashes: np.ndarray = hash_pandas_object(texts, index=False).to_numpy().copy()
    if is_nameless.any():
        hashes[is_nameless] = _content_hash(table)[is_nameless]
    return hashes


def _numbered_if_few(contents: np.ndarray) -> np.ndarray:
    """Tell rows of equal content apart where there are few contents, as in a table of two categories.

    Equal rows are different persons there, and one side of the split would have very few of them.
    """
    has_many = len(np.unique(contents[:_FIRST_ROWS])) >= _FEW  # decides most tables at once
    if has_many or not 1 < len(np.unique(contents)) < _FEW:
        return contents
    occurrence = pd.Series(contents).groupby(contents).cumcount().to_numpy(np.uint64)
    numbered: np.ndarray = contents * np.uint64(1000003) + occurrence
    return numbered


def _positions(identities: np.ndarray, salt: str) -> np.ndarray:
    """Return a number in [0, 1) per identity."""
    # pandas takes a hash key for text only, so the salt is mixed in here
    salted = hash_array(identities ^ hash_array(np.array([salt], dtype=object)))
    return (salted >> np.uint64(11)).astype(np.float64) / 2.0**53


def _content_hash(table: Table) -> np.ndarray:
    """Hash each row's values; numbers as floats, so that 1 and 1.0 are the same row."""
    combined = np.zeros(len(table), dtype=np.uint64)
    as_text = first_id_before(table.names, table.target)
    for name in sorted(name for name in table.names if name != table.target):
        is_number = table.columns[name].is_number and name != as_text
        # 0.0 and -0.0 are one number; pandas 2 hashes them differently
        values = as_numbers(table[name]) + 0.0 if is_number else _without_gaps(table[name]).array
        combined = combined * np.uint64(1000003) + hash_array(values)
    return combined


def _without_gaps(column: pd.Series) -> pd.Series:
    """Return the column as categories, with an empty text where a value is missing."""
    texts = as_texts(column)
    return texts.cat.add_categories([""]).fillna("") if texts.hasnans else texts


def _identity_name(settings: GroupSettings) -> str:
    names = settings.group_columns or settings.id_columns
    return " and ".join(names) if names else "the row's content"


def _split_by_identity(settings: GroupSettings, identities: np.ndarray, members: np.ndarray) -> Split:
    is_test = _held_out(_positions(identities, _SPLIT), settings.test_fraction)
    description = f"by hash of {_identity_name(settings)}"
    return Split(~is_test, is_test, members, _fold_numbers(identities), description)


def _split_by_order(
    table: Table, settings: GroupSettings, identities: np.ndarray, members: np.ndarray
) -> Split:
    """Hold out the last rows of a file that is in the order of time."""
    places = np.arange(len(table), dtype=np.float64)
    is_late = places >= _cut(places, settings.test_fraction, "the order of the rows")
    description = "by order: the last rows of the file are held out"
    return _split_late_rows(places, is_late, settings, identities, members, description)


def _split_by_time(
    table: Table, settings: GroupSettings, identities: np.ndarray, members: np.ndarray
) -> Split:
    name = str(settings.time_column)
    times = time_numbers(table[name], table.columns[name].date_format)
    cut = _cut(times, settings.test_fraction, name)
    time_cut = TimeCut(name, cut, is_number=types.is_numeric_dtype(table[name]))
    is_late = times >= cut  # a row without a time counts as early: NaN compares false
    description = f"by time: the last part of {name} is held out"
    split = _split_late_rows(times, is_late, settings, identities, members, description)
    return replace(split, time_cut=time_cut)


def _split_late_rows(
    times: np.ndarray,
    is_late: np.ndarray,
    settings: GroupSettings,
    identities: np.ndarray,
    members: np.ndarray,
    description: str,
) -> Split:
    """Return the split at a point in time; groups on both sides of it keep one side."""
    if not settings.group_columns:
        folds = folds_by_time(times, ~is_late)
        return Split(~is_late, is_late, members, folds, description, has_folds_in_time=True)
    group_of = _identity_name(settings)
    straddles = np.isin(members, np.intersect1d(members[is_late], members[~is_late]))
    goes_late = _positions(identities, _SPLIT) < 0.5
    train = ~is_late & ~(straddles & goes_late)
    test = is_late & ~(straddles & ~goes_late)
    folds = _fold_numbers(identities)
    description += f", each {group_of} on one side only"
    return Split(train, test, members, folds, description)


def _cut(times: np.ndarray, test_fraction: float, name: str) -> float:
    """Return the first held-out time: the one whose late share is nearest to the requested one."""
    distinct, counts = np.unique(times[~np.isnan(times)], return_counts=True)
    if len(distinct) < 2:
        raise TrainingError(f"The time column {name!r} has one value only; it cannot order the rows.")
    late_share = counts[::-1].cumsum()[::-1] / len(times)
    nearest = int(np.argmin(np.abs(late_share[1:] - test_fraction))) + 1
    return float(distinct[nearest])


def time_numbers(column: pd.Series, date_format: str | None) -> np.ndarray:
    """Return the times as numbers: those of the column, or nanoseconds since 1970; NaN where missing.

    Raises
    ------
    TrainingError
        If texts are not dates of the notation.
    """
    is_number = types.is_numeric_dtype(column)
    if not is_number and (problem := unreadable_dates(column, date_format, of_all=True)):
        raise TrainingError(f"The time column cannot order the rows. {problem}")
    return moments(column, date_format)
