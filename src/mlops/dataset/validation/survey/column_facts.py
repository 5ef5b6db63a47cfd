"""What one column holds, gathered chunk by chunk in memory that does not grow with the rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.privacy import personal_kind
from mlops.dataset.table.cells import (
    MISSING_EVERYWHERE,
    DateView,
    NumberView,
    is_plain,
    view_as_dates,
    view_as_missing,
    view_as_numbers,
)
from mlops.dataset.table.fields import Texts
from mlops.dataset.table.irregular_values import like_formulas, with_control_characters, with_outer_space
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.validation.survey.number_range import NumberRange, plain
from mlops.models.dataset import ColumnContract, ColumnKind

MAX_LEVELS = 2_000
_NUMERIC_SHARE = 0.9
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(slots=True)
class ColumnFacts:
    """Counts, ranges, levels and sightings of one column; `known` is its entry in the contract."""

    position: int
    name: str
    known: ColumnContract | None = None
    decimal: str = "."
    n_rows: int = 0
    n_missing_as_text: int = 0
    n_missing_as_number: int = 0
    n_numbers: int = 0
    n_fractions: int = 0
    n_codes: int = 0
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
        if self.known is not None and self.known.kind != "empty":
            return self.known.kind in ("integer", "number")
        meant = self.n_numbers + self.n_number_like
        present = meant + self.not_numbers.count - self.n_number_like
        return not self.has_codes and self.n_numbers > 0 and meant >= _NUMERIC_SHARE * present

    @property
    def has_codes(self) -> bool:
        """Whether digits are names here: some begin with 0, or many are longer than a number can hold."""
        return self.n_codes > 0 or self.n_large > (1 - _NUMERIC_SHARE) * self.n_numbers

    @property
    def is_like_numbers(self) -> bool:
        """Whether most cells were meant as numbers but are written in another way."""
        present = self.n_numbers + self.not_numbers.count
        return present > 0 and self.n_number_like >= _NUMERIC_SHARE * present and not self.has_codes

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
        if self.known is not None and self.known.kind != "empty":
            return self.known.kind == "date"
        present = self.n_rows - self.n_missing_as_number
        dates = self.n_dates + self.n_other_dates + self.impossible_dates.count
        return present > 0 and self.n_dates > 0 and dates >= _NUMERIC_SHARE * present

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
        """What the column is."""
        if self.n_missing >= self.n_rows:
            return "empty"
        if self.is_numeric:
            return "integer" if self.n_fractions == 0 else "number"
        if self.is_date:
            return "date"
        n_levels = self.n_levels
        present = self.n_rows - self.n_missing
        few = n_levels is not None and (n_levels <= 20 or n_levels <= 0.2 * present)
        return "category" if few and self.longest <= 200 else "text"

    def add_numbers(self, numbers: NDArray[np.float64], lines: NDArray[np.int64]) -> None:
        """Take cells that were parsed as numbers; NaN is missing."""
        missing = np.isnan(numbers)
        n_missing = int(missing.sum())
        self.n_rows += len(numbers)
        self.n_missing_as_number += n_missing
        self.n_missing_as_text += n_missing
        if n_missing:
            self.missing.note(lines[missing])
        self.range.add(numbers, lines, self.known)
        self.n_numbers += len(numbers) - n_missing
        # rounding leaves whole numbers and NaN as they are: one comparison finds the fractions
        fractional = (np.rint(numbers) != numbers) & ~missing
        self.n_fractions += int(fractional.sum())
        if self.known is not None and self.known.kind == "integer" and fractional.any():
            self.fractions.note(lines[fractional], map(plain, numbers[fractional][:3].tolist()))

    def add_text(self, cells: Texts, lines: NDArray[np.int64]) -> None:
        """Take cells as they are written."""
        values, codes = cells.values, cells.codes
        counts = np.bincount(codes, minlength=len(values))
        self._add_levels(values, counts)
        self._add_irregular(values, codes, lines)
        if self._may_be_numeric():
            self._add_as_numbers(view_as_numbers(values, self.decimal), values, codes, counts, lines)
        else:
            is_missing = view_as_missing(values)
            self._add_missing_text(is_missing, values, codes, counts, lines)
            self.n_missing_as_number += int(counts[is_missing].sum())
        if self._may_be_date(values):
            self._add_dates(view_as_dates(values), values, codes, counts, lines)
        self._add_unseen(values, codes, lines)
        self.n_rows += len(codes)

    def _may_be_numeric(self) -> bool:
        if self.n_rows == 0 or self.expects_numbers:
            return True
        if self.known is not None and self.known.kind in ("integer", "number"):
            return True
        return self.n_numbers + self.n_number_like > 0 or self.n_missing_as_number == self.n_rows

    def _may_be_date(self, values: list[str]) -> bool:
        if self.expects_dates:
            return True
        if self.n_rows == 0 and not self._is_known_date():
            return bool(_DAY.search("\n".join(values)))
        return self.n_dates + self.impossible_dates.count > 0 or self._is_known_date()

    def _is_known_date(self) -> bool:
        return self.known is not None and self.known.kind == "date"

    def _add_levels(self, values: list[str], counts: NDArray[np.int64]) -> None:
        if self.n_rows == 0:
            self.personal = personal_kind(values[:1000])
        if self.has_all_levels:
            self.longest = max(self.longest, max(map(len, values), default=0))
            for value, count in zip(values, counts.tolist(), strict=True):
                self.levels[value.strip()] += count
            self.levels.pop("", None)
            if len(self.levels) > MAX_LEVELS:
                self.levels.clear()
                self.has_all_levels = False

    def _add_irregular(self, values: list[str], codes: NDArray[np.int64], lines: NDArray[np.int64]) -> None:
        if not is_plain(values):
            _note(self.spaced, with_outer_space(values), values, codes, lines)
            _note(self.control, with_control_characters(values), values, codes, lines)
        _note(self.formulas, like_formulas(values, self.decimal), values, codes, lines)

    def _add_as_numbers(
        self,
        view: NumberView,
        values: list[str],
        codes: NDArray[np.int64],
        counts: NDArray[np.int64],
        lines: NDArray[np.int64],
    ) -> None:
        is_missing = view_as_missing(values)
        self._add_missing_text(is_missing, values, codes, counts, lines)
        self.n_missing_as_number += int(counts[view.is_missing | is_missing].sum())
        for position in np.flatnonzero(view.is_missing & ~is_missing).tolist():
            self.tokens[values[position].strip()] += int(counts[position])
        self.n_numbers += int(counts[view.is_number].sum())
        self.n_codes += int(counts[view.is_code].sum())
        self.n_large += int(counts[view.is_large].sum())
        self.n_number_like += int(counts[view.is_like].sum())
        odd = ~(view.is_number | view.is_missing | is_missing)
        _note(self.not_numbers, odd, values, codes, lines)
        if view.is_number.any():
            numbers = view.numbers[codes]
            fractional = view.is_number & (np.rint(view.numbers) != view.numbers)
            self.n_fractions += int(counts[fractional].sum())
            if self.known is not None and self.known.kind == "integer":
                _note(self.fractions, fractional, values, codes, lines)
            self.range.add(numbers, lines, self.known)

    def _add_missing_text(
        self,
        is_missing: NDArray[np.bool_],
        values: list[str],
        codes: NDArray[np.int64],
        counts: NDArray[np.int64],
        lines: NDArray[np.int64],
    ) -> None:
        self.n_missing_as_text += int(counts[is_missing].sum())
        for position in np.flatnonzero(is_missing).tolist():
            if values[position].strip():
                self.tokens[values[position].strip()] += int(counts[position])
        if is_missing.any():
            self.missing.note(lines[is_missing[codes]])

    def _add_dates(
        self,
        view: DateView,
        values: list[str],
        codes: NDArray[np.int64],
        counts: NDArray[np.int64],
        lines: NDArray[np.int64],
    ) -> None:
        self.n_dates += int(counts[view.is_valid].sum())
        self.n_other_dates += int(counts[view.is_other].sum())
        self.n_zoned += int(counts[view.has_zone].sum())
        self.n_unzoned += int(counts[view.is_valid & view.has_time & ~view.has_zone].sum())
        _note(self.impossible_dates, view.is_impossible, values, codes, lines)
        is_missing = view_as_numbers(values).is_missing | view_as_missing(values)
        _note(self.not_dates, ~(view.is_valid | view.is_impossible | is_missing), values, codes, lines)

    def _add_unseen(
        self,
        values: list[str],
        codes: NDArray[np.int64],
        lines: NDArray[np.int64],
    ) -> None:
        if self.known is None or self.known.kind != "category" or self.known.levels is None:
            return
        levels, is_missing = set(self.known.levels), view_as_missing(values)
        unseen = [
            value.strip() not in levels and not missing
            for value, missing in zip(values, is_missing, strict=True)
        ]
        _note(self.unseen, unseen, values, codes, lines)


def _note(
    occurrences: Occurrences,
    is_seen: NDArray[np.bool_] | list[bool],
    values: list[str],
    codes: NDArray[np.int64],
    lines: NDArray[np.int64],
) -> None:
    """Note the rows whose distinct value is marked."""
    seen = np.asarray(is_seen, dtype=bool)
    if seen.any():
        occurrences.note(lines[seen[codes]], (values[p] for p in np.flatnonzero(seen).tolist()))
