"""What one column holds, gathered chunk by chunk in memory that does not grow with the rows.

Here it is decided whether a column holds numbers, codes, dates, categories or text, and whether it is an id.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.privacy import personal_kind
from mlops.dataset.table.aggregates import DistinctValues, NumberRange, plain
from mlops.dataset.table.cells import (
    MISSING_EVERYWHERE,
    is_plain,
    like_formulas,
    view_as_missing,
    view_as_numbers,
    with_control_characters,
    with_outer_space,
)
from mlops.dataset.table.column_names import is_id_name
from mlops.dataset.table.dates import may_hold_dates, view_as_dates
from mlops.dataset.table.fields import Texts, text_keys
from mlops.dataset.table.occurrences import Occurrences
from mlops.models.dataset import ColumnContract, ColumnKind

MAX_LEVELS = 2_000
FEW_LEVELS = 20
# a column of numbers, or of dates, may hold something else in one cell of ten
NUMERIC_SHARE = 0.9
_MAX_LEVEL_SHARE = 0.2
_LONGEST_CATEGORY = 200
# distinct values of the rows: ids of persons repeat, visit after visit; in few rows half must differ
_MIN_ID_SHARE, _NEARLY_UNIQUE = 0.2, 0.5
# a column of which `model.toml` states one of these holds values, not ids
_STATED_VALUES = frozenset(("kind", "levels", "open_levels", "minimum", "maximum"))


@dataclass(slots=True)
class ColumnProfile:
    """Counts, ranges, levels and irregular cells of one column; `expected` is its entry in the contract."""

    position: int
    name: str
    expected: ColumnContract | None = None
    decimal: str = "."
    n_rows: int = 0
    n_missing_as_text: int = 0
    n_missing_as_number: int = 0
    n_numbers: int = 0
    n_fractions: int = 0
    n_codes: int = 0
    n_zeros_like_codes: int = 0
    n_large: int = 0
    n_number_like: int = 0
    n_dates: int = 0
    n_other_dates: int = 0
    n_zoned: int = 0
    n_unzoned: int = 0
    range: NumberRange = field(default_factory=NumberRange)
    longest: int = 0
    personal: str | None = None
    levels: Counter[str] = field(default_factory=Counter)
    has_all_levels: bool = True
    # counted only where the name is one of an id
    distinct: DistinctValues = field(default_factory=DistinctValues)
    tokens: Counter[str] = field(default_factory=Counter)
    not_numbers: Occurrences = field(default_factory=Occurrences)
    impossible_dates: Occurrences = field(default_factory=Occurrences)
    not_dates: Occurrences = field(default_factory=Occurrences)
    fractions: Occurrences = field(default_factory=Occurrences)
    unseen: Occurrences = field(default_factory=Occurrences)
    formulas: Occurrences = field(default_factory=Occurrences)
    control: Occurrences = field(default_factory=Occurrences)
    spaced: Occurrences = field(default_factory=Occurrences)
    missing: Occurrences = field(default_factory=Occurrences)
    # what the beginning of the table showed, when this is a later part of it
    expects_numbers: bool = False
    expects_dates: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers, by contract or by what most of its cells are."""
        if self.expected is not None and self.expected.kind != "empty":
            return self.expected.kind in ("integer", "number")
        meant = self.n_numbers + self.n_number_like
        present = meant + self.not_numbers.count - self.n_number_like
        return not self.has_codes and self.n_numbers > 0 and meant >= NUMERIC_SHARE * present

    @property
    def has_codes(self) -> bool:
        """Whether digits are names here: some begin with 0, or many are longer than a number can hold."""
        # `00` among decimals is a zero; among whole numbers it is a code as `01` is
        n_codes = self.n_codes - (self.n_zeros_like_codes if self.n_fractions else 0)
        return n_codes > 0 or self.n_large > (1 - NUMERIC_SHARE) * self.n_numbers

    @property
    def is_like_numbers(self) -> bool:
        """Whether most cells were meant as numbers but are written in another way."""
        present = self.n_numbers + self.not_numbers.count
        return present > 0 and self.n_number_like >= NUMERIC_SHARE * present and not self.has_codes

    @property
    def is_id(self) -> bool:
        """Whether the column names the rows: by its name, and because its values hardly repeat."""
        if not is_id_name(self.name) or self.n_fractions or self.is_date:
            return False
        if self.expected is not None and not _STATED_VALUES.isdisjoint(self.expected.stated):
            return False
        n_present, n_distinct = self.n_rows - self.n_missing_as_text, self.distinct.count
        min_share = _MIN_ID_SHARE if n_distinct > FEW_LEVELS else _NEARLY_UNIQUE
        return n_distinct > min_share * n_present

    @property
    def n_missing(self) -> int:
        """How many cells are missing; more spellings count in a column of numbers or dates."""
        return self.n_missing_as_number if self.is_numeric or self.is_date else self.n_missing_as_text

    @property
    def missing_tokens(self) -> dict[str, int]:
        """Spellings that are read as missing: a `?` is a value in a column of text, not among numbers."""
        if self.is_numeric or self.is_date:
            return dict(self.tokens)
        return {t: n for t, n in self.tokens.items() if t.lower() in MISSING_EVERYWHERE}

    @property
    def is_date(self) -> bool:
        """Whether the column is one of dates."""
        if self.expected is not None and self.expected.kind != "empty":
            return self.expected.kind == "date"
        present = self.n_rows - self.n_missing_as_number
        dates = self.n_dates + self.n_other_dates + self.impossible_dates.count
        return present > 0 and self.n_dates > 0 and dates >= NUMERIC_SHARE * present

    @property
    def has_range(self) -> bool:
        """Whether it is a column of numbers in which a number was found."""
        return self.is_numeric and not self.range.is_empty

    @property
    def n_levels(self) -> int | None:
        """How many distinct values a text column has; None when too many to count."""
        return len(self.levels) if self.has_all_levels else None

    @property
    def kind(self) -> ColumnKind:
        """What the column is, as contracts write it."""
        if self.n_missing >= self.n_rows:
            return "empty"
        if self.is_numeric:
            return "integer" if self.n_fractions == 0 else "number"
        if self.is_date:
            return "date"
        n_levels = self.n_levels
        present = self.n_rows - self.n_missing
        few = n_levels is not None and (n_levels <= FEW_LEVELS or n_levels <= _MAX_LEVEL_SHARE * present)
        return "category" if few and self.longest <= _LONGEST_CATEGORY else "text"

    def add_numbers(self, numbers: NDArray[np.float64], lines: NDArray[np.int64]) -> None:
        """Take cells that were parsed as numbers; NaN is missing."""
        missing = np.isnan(numbers)
        n_missing = int(missing.sum())
        self.n_rows += len(numbers)
        self.n_missing_as_number += n_missing
        self.n_missing_as_text += n_missing
        if n_missing:
            self.missing.record(lines[missing])
        self.range.add(numbers, lines, self.expected)
        self.n_numbers += len(numbers) - n_missing
        # rounding leaves whole numbers and NaN as they are: one comparison finds the fractions
        fractional = (np.rint(numbers) != numbers) & ~missing
        self.n_fractions += int(fractional.sum())
        if self.expected is not None and self.expected.kind == "integer" and fractional.any():
            self.fractions.record(lines[fractional], map(plain, numbers[fractional][:3].tolist()))

    def add_text(self, texts: Texts, lines: NDArray[np.int64]) -> None:
        """Take cells as they are written."""
        cells = _Cells(texts, lines)
        self._add_levels(cells)
        self._add_missing(cells)
        self._add_distinct(cells)
        self._add_irregular(cells)
        if self._may_be_numeric():
            self._add_as_numbers(cells)
        else:
            self.n_missing_as_number += cells.count(cells.is_missing)
        if self._may_be_date(texts.values):
            self._add_dates(cells)
        self._add_unseen(cells)
        self.n_rows += len(texts)

    def _may_be_numeric(self) -> bool:
        if self.n_rows == 0 or self.expects_numbers:
            return True
        if self.expected is not None and self.expected.kind in ("integer", "number"):
            return True
        return self.n_numbers + self.n_number_like > 0 or self.n_missing_as_number == self.n_rows

    def _may_be_date(self, values: list[str]) -> bool:
        if self.expects_dates:
            return True
        is_expected = self.expected is not None and self.expected.kind == "date"
        if self.n_rows == 0 and not is_expected:
            return may_hold_dates(values)
        return self.n_dates + self.impossible_dates.count > 0 or is_expected

    def _add_levels(self, cells: _Cells) -> None:
        values = cells.values
        if self.n_rows == 0:
            self.personal = personal_kind(values[:1000])
        if self.has_all_levels:
            self.longest = max(self.longest, max(map(len, values), default=0))
            for value, count in zip(values, cells.counts.tolist(), strict=True):
                self.levels[value.strip()] += count
            self.levels.pop("", None)
            if len(self.levels) > MAX_LEVELS:
                self.levels.clear()
                self.has_all_levels = False

    def _add_distinct(self, cells: _Cells) -> None:
        if is_id_name(self.name) and cells.values:
            keys = text_keys(cells.values) if cells.keys is None else cells.keys
            self.distinct.add(keys[~cells.is_missing & (cells.counts > 0)])

    def _add_irregular(self, cells: _Cells) -> None:
        values = cells.values
        if not is_plain(values):
            cells.record(self.spaced, with_outer_space(values))
            cells.record(self.control, with_control_characters(values))
        cells.record(self.formulas, like_formulas(values, self.decimal))

    def _add_missing(self, cells: _Cells) -> None:
        self.n_missing_as_text += cells.count(cells.is_missing)
        for position in np.flatnonzero(cells.is_missing).tolist():
            if token := cells.values[position].strip():
                self.tokens[token] += int(cells.counts[position])
        cells.record(self.missing, cells.is_missing, with_values=False)

    def _add_as_numbers(self, cells: _Cells) -> None:
        view = view_as_numbers(cells.values, self.decimal)
        self.n_missing_as_number += cells.count(view.is_missing | cells.is_missing)
        for position in np.flatnonzero(view.is_missing & ~cells.is_missing).tolist():
            self.tokens[cells.values[position].strip()] += int(cells.counts[position])
        self.n_numbers += cells.count(view.is_number)
        self.n_codes += cells.count(view.is_code)
        self.n_zeros_like_codes += cells.count(view.is_code & (view.numbers == 0.0))
        self.n_large += cells.count(view.is_large)
        self.n_number_like += cells.count(view.is_like)
        cells.record(self.not_numbers, ~(view.is_number | view.is_missing | cells.is_missing))
        if view.is_number.any():
            fractional = view.is_number & (np.rint(view.numbers) != view.numbers)
            self.n_fractions += cells.count(fractional)
            if self.expected is not None and self.expected.kind == "integer":
                cells.record(self.fractions, fractional)
            self.range.add(view.numbers[cells.codes], cells.lines, self.expected)

    def _add_dates(self, cells: _Cells) -> None:
        view = view_as_dates(cells.values)
        self.n_dates += cells.count(view.is_valid)
        self.n_other_dates += cells.count(view.is_other)
        self.n_zoned += cells.count(view.has_zone)
        self.n_unzoned += cells.count(view.is_valid & view.has_time & ~view.has_zone)
        cells.record(self.impossible_dates, view.is_impossible)
        is_missing = view_as_numbers(cells.values).is_missing | cells.is_missing
        cells.record(self.not_dates, ~(view.is_valid | view.is_impossible | is_missing))

    def _add_unseen(self, cells: _Cells) -> None:
        if self.expected is None or self.expected.kind != "category" or self.expected.levels is None:
            return
        levels = set(self.expected.levels)
        is_unseen = np.array([value.strip() not in levels for value in cells.values], dtype=bool)
        cells.record(self.unseen, is_unseen & ~cells.is_missing)


class _Cells:
    """Some cells of a column by their distinct values: which one each row holds, and on which line it is."""

    def __init__(self, texts: Texts, lines: NDArray[np.int64]) -> None:
        self.values, self.codes, self.keys, self.lines = texts.values, texts.codes, texts.keys, lines
        self.counts = np.bincount(texts.codes, minlength=len(texts.values))

    @cached_property
    def is_missing(self) -> NDArray[np.bool_]:
        """Mark the distinct values that mean "missing" in a column of text."""
        return view_as_missing(self.values)

    def count(self, marks: NDArray[np.bool_]) -> int:
        """Return the rows whose distinct value is marked."""
        return int(self.counts[marks].sum())

    def record(self, occurrences: Occurrences, marks: NDArray[np.bool_], *, with_values: bool = True) -> None:
        """Record the rows whose distinct value is marked."""
        if marks.any():
            values = (self.values[position] for position in np.flatnonzero(marks).tolist())
            occurrences.record(self.lines[marks[self.codes]], values if with_values else ())
