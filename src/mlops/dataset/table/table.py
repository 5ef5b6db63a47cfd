"""A table of typed columns: what each one holds and what it is for, decided once, where the table is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from mlops.dataset.notation.date_formats import UNDECIDED
from mlops.dataset.notation.stated import stated_notation
from mlops.dataset.privacy import safe_examples
from mlops.dataset.table.cells import view_as_numbers
from mlops.dataset.table.column_names import NamedRoles, named_roles
from mlops.dataset.table.column_profile import FEW_LEVELS, ColumnProfile
from mlops.dataset.table.counts.aggregates import counts_rows
from mlops.dataset.table.frames import clean, profile_of
from mlops.dataset.table.values import as_categories, as_texts, distinct_values
from mlops.models.dataset import Contract
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings

type Kind = Literal["number", "integer", "category", "code", "text", "date", "boolean", "empty"]
type Role = Literal["feature", "target", "id", "group", "time", "excluded"]

RAW_DATE = "raw date"
FREE_TEXT = "free text"
COUNTS_ROWS = "counts the rows"
ID_NUMBERS = "looks like an id: whole numbers that almost never repeat"
ID_TEXTS = "looks like an id: texts that almost never repeat"

_BOOLEANS = frozenset(("true", "false", "yes", "no", "y", "n", "t", "f"))
_SAMPLE_ROWS = 2_000
_LONG_TEXT_CHARACTERS = 50
_MANY_WORDS = 6
_MAX_UNIQUE_SHARE = 0.5
_MAX_LISTED_LINES = 5


@dataclass(frozen=True, slots=True)
class Column:
    """What one column holds and what it is for.

    `unusable` says why a model cannot learn from it, None when it can. `missing_tokens` are the spellings
    that were read as missing, `date_format` is the notation of a column of dates (see `date_formats`), None
    when it is undecided which number is the month. `personal` is the kind of personal data that most values
    look like. `has_words` says that the words of its cells are learned from.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    unusable: str | None = None
    missing_tokens: tuple[str, ...] = ()
    date_format: str | None = None
    personal: str | None = None
    has_words: bool = False

    @property
    def is_like_id(self) -> bool:
        """Whether the values name the rows instead of describing them."""
        return self.unusable in (COUNTS_ROWS, ID_NUMBERS, ID_TEXTS)

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind in ("number", "integer")


@dataclass(frozen=True, slots=True)
class UnreadableCells(Record):
    """The cells of a column that are not what the column holds, and became missing.

    `lines` are the first ones, 1-based, as an editor shows them; `examples` are fit to be shown.
    """

    count: int
    lines: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, and what each of their columns is.

    Columns of numbers are `float64`, or `int64` when all are whole and none is missing; all others are
    categories of stripped text, NaN where missing. `name` and `sha256` say where the rows come from.
    `unreadable` are the cells, by column, that did not fit; those of dates are missing for `read_dates`.
    """

    frame: pd.DataFrame
    columns: Mapping[str, Column]
    target: str | None = None
    is_target_assumed: bool = False
    name: str = "table"
    sha256: str = ""
    unreadable: Mapping[str, UnreadableCells] = field(default_factory=dict)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        settings: GroupSettings | None = None,
        contract: Contract | None = None,
        *,
        has_target: bool = True,
    ) -> Self:
        """Make a table of the rows of a frame; a dtype says whether a column holds numbers, truth or dates.

        Parameters
        ----------
        frame
            Any index; column names must be unique.
        settings, contract
            As for `validate`.
        has_target
            Whether a target is assumed where neither settings nor contract name one.
        """
        settings = settings or GroupSettings()
        roles = named_roles([str(name) for name in frame.columns], settings, contract)
        if roles.is_target_assumed and not has_target:
            roles = replace(roles, target=None)
        form = settings.format.of("training" if has_target else "inference")
        notations = {
            str(name): stated_notation(contract.column(str(name)) if contract else None, form, ".")
            for name in frame.columns
        }
        cells = pd.DataFrame(
            {str(name): clean(column, notations[str(name)]) for name, column in frame.items()}, copy=False
        )
        lines = np.arange(2, len(cells) + 2)
        profiles = {
            name: profile_of(cells[name], lines, position, contract, notations[name])
            for position, name in enumerate(cells.columns)
        }
        table = cls(cells, {}, roles.target, roles.is_target_assumed, name="The frame")
        return table.typed(profiles, roles, settings)

    def typed(
        self, profiles: Mapping[str, ColumnProfile], roles: NamedRoles, settings: GroupSettings
    ) -> Self:
        """Return the table with columns typed by their profiles, and cells in the form of the types."""
        cells, columns = {}, {}
        for name, profile in profiles.items():
            is_stated_id = name in roles.ids and not roles.are_ids_assumed
            is_text = name in settings.text_columns and not is_stated_id
            is_id = is_stated_id or (name in roles.ids and profile.is_id and not is_text)
            column = _converted(self.frame[name], profile, is_number=profile.is_numeric and not is_id)
            role = _role(name, settings, roles, is_id=is_id)
            typed = _column(profile, column, role, is_stated_id=is_stated_id)
            cells[name], columns[name] = column, _with_words(typed) if is_text else typed
        used = [profile for name, profile in profiles.items() if columns[name].role != "id"]
        frame = pd.DataFrame(cells, copy=False)
        return replace(self, frame=frame, columns=columns, unreadable=unreadable_cells(used))

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the order of the file."""
        return tuple(self.columns)

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, name: str) -> pd.Series:
        return self.frame[name]

    def digest(self) -> str:
        """Return a SHA-256 digest of names and cells."""
        hashes = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        return hashlib.sha256("\n".join(self.names).encode() + hashes.tobytes()).hexdigest()

    def rows(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the table of the rows that are marked."""
        frame = self.frame if chosen.all() else self.frame[chosen].reset_index(drop=True)
        return replace(self, frame=frame)

    def select(self, names: Iterable[str], *, target: str | None) -> Self:
        """Return the table of some of the columns, with another target."""
        kept = [name for name in names if name in self.columns]
        columns = {name: self.columns[name] for name in kept}
        return replace(self, frame=self.frame[kept], columns=columns, target=target)

    def with_numbers(self, numbers: Mapping[str, NDArray[np.float64]]) -> Self:
        """Return the table with further columns of numbers."""
        if not numbers:
            return self
        columns = {**self.columns, **{name: Column(name, "number") for name in numbers}}
        return replace(self, frame=self.frame.assign(**numbers), columns=columns)


def unreadable_cells(profiles: Iterable[ColumnProfile]) -> dict[str, UnreadableCells]:
    """Return what could not be read in each column; columns without such cells are left out."""
    by_name = {profile.name: (profile.unreadable, profile.personal) for profile in profiles}
    return {
        name: UnreadableCells(
            where.count, tuple(where.lines), () if personal else safe_examples(where.values)
        )
        for name, (where, personal) in by_name.items()
        if where
    }


def unreadable_notes(
    unreadable: Mapping[str, UnreadableCells], ending: str = " and count as missing"
) -> list[str]:
    """Say of each column which cells could not be read, without showing one, and how it is treated."""
    notes = []
    for name, cells in unreadable.items():
        lines = ", ".join(map(str, cells.lines[:_MAX_LISTED_LINES]))
        place = f" on line{'s' if cells.count > 1 else ''} {lines}" if lines else ""
        more = f" and {cells.count - _MAX_LISTED_LINES:,} more" if cells.count > _MAX_LISTED_LINES else ""
        count = "1 cell" if cells.count == 1 else f"{cells.count:,} cells"
        notes.append(f"{count} of {name!r} could not be read{place}{more}{ending}.")
    return notes


def _converted(column: pd.Series, profile: ColumnProfile, *, is_number: bool) -> pd.Series:
    if is_number and types.is_numeric_dtype(column):
        return column
    if is_number:
        codes, values = distinct_values(column)
        numbers = view_as_numbers([str(value) for value in values], profile.notation).numbers
        return pd.Series(np.append(numbers, np.nan)[codes], name=column.name)
    return as_texts(column) if types.is_numeric_dtype(column) else as_categories(column)


def _column(profile: ColumnProfile, cells: pd.Series, role: Role, *, is_stated_id: bool) -> Column:
    kind, notation = _kind(profile, cells)
    tokens = tuple(profile.missing_tokens)
    column = Column(
        profile.name, kind, role, missing_tokens=tokens, date_format=notation, personal=profile.personal
    )
    reason = "id column" if is_stated_id else _why_unusable(column, profile, cells)
    return replace(column, unusable=reason)


def _with_words(column: Column) -> Column:
    """Return a column of `text_columns`; what holds something else than texts stays as it is."""
    if column.role != "feature" or column.kind not in ("text", "category", "code", "boolean"):
        return column
    return replace(column, kind="text", unusable=None, has_words=True)


def _kind(profile: ColumnProfile, cells: pd.Series) -> tuple[Kind, str | None]:
    """Return the kind of a column, and of dates their notation."""
    kind = profile.kind
    if kind in ("empty", "integer", "number"):
        return kind, None
    is_stated = profile.expected is not None and "kind" in profile.expected.stated
    # contracts of 0.1 knew ISO dates only; a model never learned from others
    if kind == "date" or (not is_stated and profile.has_dates):
        return "date", None if profile.date_format == UNDECIDED else profile.date_format
    if profile.has_codes and not is_stated:
        return "code", None
    levels = [str(level).lower() for level in cells.cat.categories[:3]]
    is_boolean = not is_stated and len(cells.cat.categories) == 2 and _BOOLEANS.issuperset(levels)
    return ("boolean" if is_boolean else kind), None


def _role(name: str, settings: GroupSettings, roles: NamedRoles, *, is_id: bool) -> Role:
    if name == roles.target:
        return "target"
    if is_id:
        return "id"
    if name in settings.group_columns:
        return "group"
    if name == settings.time_column:
        return "time"
    return "excluded" if name in settings.exclude_columns else "feature"


def _why_unusable(column: Column, profile: ColumnProfile, cells: pd.Series) -> str | None:
    if column.role == "target" or column.kind == "empty":
        return None
    if profile.is_id:
        return ID_NUMBERS if profile.is_numeric else ID_TEXTS
    if column.is_number:
        if profile.n_fractions:
            return None
        present = cells.dropna().to_numpy(dtype=np.float64)
        return COUNTS_ROWS if counts_rows(present, len(present)) else None
    if column.kind == "date":
        return RAW_DATE
    return _why_no_category(cells)


def _why_no_category(cells: pd.Series) -> str | None:
    n_distinct = len(cells.cat.categories)
    if n_distinct <= FEW_LEVELS:
        return None
    sample = [str(text) for text in cells.dropna().iloc[:_SAMPLE_ROWS]]
    n_characters, n_words = sum(map(len, sample)), sum(len(text.split()) for text in sample)
    if n_characters > _LONG_TEXT_CHARACTERS * len(sample) or n_words > _MANY_WORDS * len(sample):
        return FREE_TEXT
    return ID_TEXTS if n_distinct > _MAX_UNIQUE_SHARE * int(cells.notna().sum()) else None
