"""Which rows are held out. Membership hangs on what a row is, never on its place in the file.

A row, person or group that was trained on once is trained on in every later training, too: a file that grew
by new rows moves no old one to the other side (but for a time split, whose cut moves on with time). Nor does
another seed, and the part of a smaller `test_fraction` lies within that of a greater one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types
from pandas.util import hash_array, hash_pandas_object

from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.columns import as_numbers, as_texts

_MIN_READABLE_TIMES = 0.95
# changing either moves rows between the parts in every group that there is
_SPLIT, _FOLDS = "0/", "0/folds"


@dataclass(frozen=True, slots=True)
class Split:
    """The two parts as boolean masks, how they were made, and who belongs together.

    A row may be in neither part. `members` numbers the group, id or content that each row belongs to, and
    `identities` is the hash of that, the same in every file.
    """

    train: np.ndarray
    test: np.ndarray
    members: np.ndarray
    identities: np.ndarray
    description: str

    @property
    def n_left_out(self) -> int:
        """Rows that are in neither part."""
        return int((~(self.train | self.test)).sum())


def split_rows(frame: pd.DataFrame, target: str, settings: GroupSettings) -> Split:
    """Divide the rows into a training and a held-out part.

    By time when a time column is named: the last part is held out. By group when group columns are named:
    no group is on both sides. With both, a group on both sides of the cut keeps one side, chosen by its hash,
    and its other rows are left out. Otherwise by the hash of the id columns, or of the row's content.

    Parameters
    ----------
    frame
        All rows; a column that the settings name must exist.
    target
        The target column; it has no part in a row's identity, because labels get corrected.
    settings
        `time_column`, `group_columns`, `id_columns` and `test_fraction` are used; `seed` is not, or a
        champion of another seed would have been trained on rows that are held out here.

    Raises
    ------
    TrainingError
        If a part stays empty, or the time column cannot be read.
    """
    identities = _identities(frame, target, settings)
    members = pd.factorize(identities)[0]
    if not members.any():
        raise TrainingError(
            f"All {len(frame)} rows are alike in {_identity_name(settings)} (but for the target); "
            "at least two different ones are needed, and some hundred to learn from."
        )
    if settings.time_column:
        split = _split_by_time(frame, settings, identities, members)
    else:
        is_test = _positions(identities, _SPLIT) < settings.test_fraction
        split = Split(~is_test, is_test, members, identities, f"by hash of {_identity_name(settings)}")
    if not split.train.any() or not split.test.any():
        missing = "train on" if split.test.any() else "test on"
        raise TrainingError(
            f"The split {split.description} leaves no rows to {missing}; "
            "add rows, or name other group or time columns."
        )
    return split


def fold_numbers(identities: np.ndarray, n_folds: int) -> np.ndarray:
    """Return the fold, 0..n_folds-1, of rows of these identities; groups stay whole."""
    folds: np.ndarray = np.minimum((_positions(identities, _FOLDS) * n_folds).astype(int), n_folds - 1)
    return folds


def _identities(frame: pd.DataFrame, target: str, settings: GroupSettings) -> np.ndarray:
    """Return a hash per row, the same for equal rows in every file: of group, id, or content."""
    names = settings.group_columns or settings.id_columns
    if not names:
        return _content_hash(frame, target)
    texts = pd.concat([_without_gaps(frame[name]) for name in names], axis=1)
    is_nameless = (texts == "").all(axis=1).to_numpy()
    hashes: np.ndarray = hash_pandas_object(texts, index=False).to_numpy().copy()
    if is_nameless.any():
        hashes[is_nameless] = _content_hash(frame[is_nameless], target)
    return hashes


def _positions(identities: np.ndarray, salt: str) -> np.ndarray:
    """Return a number in [0, 1) per identity."""
    # pandas takes a hash key for text only, so the salt is mixed in here
    salted = hash_array(identities ^ hash_array(np.array([salt], dtype=object)))
    return (salted >> np.uint64(11)).astype(np.float64) / 2.0**53


def _content_hash(frame: pd.DataFrame, target: str) -> np.ndarray:
    """Hash each row's values; numbers as floats, so that 1 and 1.0 are the same row."""
    combined = np.zeros(len(frame), dtype=np.uint64)
    for name in sorted(column for column in frame.columns if column != target):
        column = frame[name]
        is_number = types.is_numeric_dtype(column)
        # 0.0 and -0.0 are one number; pandas 2 hashes them differently
        values = as_numbers(column) + 0.0 if is_number else _without_gaps(column).array
        combined = combined * np.uint64(1000003) + hash_array(values)
    return combined


def _without_gaps(column: pd.Series) -> pd.Series:
    """Return the column as categories, with an empty text where a value is missing."""
    texts = as_texts(column)
    return texts.cat.add_categories([""]).fillna("") if texts.hasnans else texts


def _identity_name(settings: GroupSettings) -> str:
    names = settings.group_columns or settings.id_columns
    return " and ".join(names) if names else "the row's content"


def _split_by_time(
    frame: pd.DataFrame, settings: GroupSettings, identities: np.ndarray, members: np.ndarray
) -> Split:
    name = str(settings.time_column)
    times = _time_numbers(frame[name])
    cut = _cut(times, settings.test_fraction, name)
    is_late = times >= cut  # a row without a time counts as early: NaN compares false
    description = f"by time: the last part of {name} is held out"
    if not settings.group_columns:
        return Split(~is_late, is_late, members, identities, description)
    group_of = _identity_name(settings)
    straddles = np.isin(members, np.intersect1d(members[is_late], members[~is_late]))
    goes_late = _positions(identities, _SPLIT) < 0.5
    train = ~is_late & ~(straddles & goes_late)
    test = is_late & ~(straddles & ~goes_late)
    return Split(train, test, members, identities, f"{description}, each {group_of} on one side only")


def _cut(times: np.ndarray, test_fraction: float, name: str) -> float:
    """Return the first held-out time: of all times the one whose late share is nearest the asked one."""
    distinct, counts = np.unique(times[~np.isnan(times)], return_counts=True)
    if len(distinct) < 2:
        raise TrainingError(f"The time column {name!r} has one value only; it cannot order the rows.")
    late_share = counts[::-1].cumsum()[::-1] / len(times)
    nearest = int(np.argmin(np.abs(late_share[1:] - test_fraction))) + 1
    return float(distinct[nearest])


def _time_numbers(column: pd.Series) -> np.ndarray:
    if types.is_numeric_dtype(column):
        return as_numbers(column)
    texts = column.astype(object)  # of categories pandas would make categories again
    moments = pd.to_datetime(texts, errors="coerce", utc=True, format="mixed")
    readable = float(moments.notna().mean())
    if readable < _MIN_READABLE_TIMES:
        raise TrainingError(
            f"Only {readable:.0%} of the time column {column.name!r} can be read as dates; "
            "write them as YYYY-MM-DD."
        )
    numbers: np.ndarray = moments.astype("int64").to_numpy(dtype=np.float64)
    return np.where(moments.isna().to_numpy(), np.nan, numbers)


def require_columns(frame: pd.DataFrame, settings: GroupSettings) -> None:
    """Refuse settings whose split hangs on columns that the file does not have.

    Raises
    ------
    TrainingError
        If a column is missing; all missing ones are named.
    """
    names = [*settings.id_columns, *settings.group_columns]
    names += [settings.time_column] if settings.time_column else []
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise TrainingError(
            f"The settings name columns that the file does not have: {', '.join(missing)}. "
            f"It has {', '.join(map(str, frame.columns[:20]))}{', ...' if len(frame.columns) > 20 else ''}."
        )
