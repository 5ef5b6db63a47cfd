"""The counts of one column, added up chunk by chunk in memory that does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.date_formats import ISO_DATES, epoch_of
from mlops.dataset.notation.notation import PLAIN, Notation
from mlops.dataset.notation.number_formats import are_ambiguous_thousands
from mlops.dataset.notation.recognition import (
    NUMERIC_SHARE,
    Evidence,
    are_exponent_codes,
    date_evidence,
    like_versions,
    may_hold_dates,
    recognised,
)
from mlops.dataset.privacy import personal_kind
from mlops.dataset.table.cells import (
    NumberView,
    like_formulas,
    view_as_numbers,
    with_control_characters,
    with_outer_space,
)
from mlops.dataset.table.column_names import announces_date, announces_version, is_id_name
from mlops.dataset.table.counts.aggregates import DateCounts, DistinctValues, NumberRange, plain
from mlops.dataset.table.dates import are_iso_dates
from mlops.dataset.table.fields import Texts, text_keys
from mlops.dataset.table.occurrences import DistinctCells, Occurrences
from mlops.models.dataset import ColumnContract

MAX_LEVELS = 2_000
_MAX_LIKE = 100


@dataclass(slots=True)
class ColumnCounts:
    """Counts, ranges, levels and irregular cells of one column; `expected` is its entry in the contract.

    `notation` is how its cells are read. Unless it `is_settled`, it is recognised from the first cells.
    """

    position: int
    name: str
    expected: ColumnContract | None = None
    notation: Notation = PLAIN
    is_settled: bool = False
    n_rows: int = 0
    n_missing_as_text: int = 0
    n_missing_as_number: int = 0
    n_numbers: int = 0
    n_fractions: int = 0
    n_codes: int = 0
    n_large: int = 0
    n_number_like: int = 0
    range: NumberRange = field(default_factory=NumberRange)
    dates: DateCounts = field(default_factory=DateCounts)
    longest: int = 0
    personal: str | None = None
    levels: Counter[str] = field(default_factory=Counter)
    has_all_levels: bool = True
    # counted only where the name is one of an id
    distinct: DistinctValues = field(default_factory=DistinctValues)
    tokens: Counter[str] = field(default_factory=Counter)
    # some of the numbers that are written in another way
    number_like: Counter[str] = field(default_factory=Counter)
    not_numbers: Occurrences = field(default_factory=Occurrences)
    like_codes: Occurrences = field(default_factory=Occurrences)
    fractions: Occurrences = field(default_factory=Occurrences)
    unseen: Occurrences = field(default_factory=Occurrences)
    formulas: Occurrences = field(default_factory=Occurrences)
    control: Occurrences = field(default_factory=Occurrences)
    spaced: Occurrences = field(default_factory=Occurrences)
    missing: Occurrences = field(default_factory=Occurrences)
    # what the beginning of the table showed, when this is a later part of it
    expects_numbers: bool = False
    # the format of the file states text, so that digits are not numbers
    is_stated_text: bool = False
    # every fraction at the beginning has three digits
    has_three_digits: bool = False

    @property
    def is_decided(self) -> bool:
        """Whether the contract says what the column holds."""
        return self.expected is not None and self.expected.kind != "empty"

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
        cells = DistinctCells(texts, lines, self.notation.kept)
        view = view_as_numbers(cells.values, self.notation) if self._may_be_numeric() else None
        if view is not None and self.n_rows == 0:
            view = self._begun(cells, view)
        self._add_levels(cells)
        self._add_missing(cells)
        self._add_distinct(cells)
        self._add_irregular(cells, view)
        if view is not None:
            self._add_as_numbers(cells, view)
        else:
            self.n_missing_as_number += cells.count(cells.is_missing)
        if self.notation.date_format is not None:
            is_missing = view_as_numbers(cells.values).is_missing | cells.is_missing
            self.dates.add(cells, is_missing, self.notation.date_format)
        self._add_unseen(cells)
        self.n_rows += len(texts)

    def _may_be_numeric(self) -> bool:
        if self.n_rows == 0 or self.expects_numbers:
            return True
        if self.expected is not None and self.expected.kind in ("integer", "number"):
            return True
        return self.n_numbers + self.n_number_like > 0 or self.n_missing_as_number == self.n_rows

    def _begun(self, cells: DistinctCells, view: NumberView) -> NumberView:
        """Decide from the first cells how the column is written; return how they read as numbers by that."""
        evidence = cells.evidence(view)
        self.has_three_digits = are_ambiguous_thousands(evidence.numbers, self.notation.decimal)
        before = self.notation
        if not self.is_settled:
            self.notation = self._recognised(evidence, view)
        return view if before == self.notation else view_as_numbers(cells.values, self.notation)

    def _recognised(self, evidence: Evidence, view: NumberView) -> Notation:
        """Return how the cells are written, as far as the contract leaves it open."""
        expected, base = self.expected, self.notation
        kind = expected.kind if expected is not None and self.is_decided else None
        is_stated = expected is not None and "kind" in expected.stated
        if kind in ("integer", "number") and not is_stated:
            return base
        if kind == "date" and not is_stated:
            return base if base.date_format else replace(base, date_format=ISO_DATES)
        # neither stated numbers nor the digits of an id are dates
        is_other = kind in ("integer", "number") or (is_id_name(self.name) and evidence.number_share > 0)
        dates = Counter[str]()
        if not is_other and may_hold_dates(evidence):
            dates = date_evidence(evidence, are_iso_dates(evidence.values))
        notation = recognised(evidence, dates, base)
        if notation.date_format or evidence.number_share < NUMERIC_SHARE:
            return notation
        if kind is None and announces_version(self.name) and like_versions(evidence.values):
            return replace(notation, code="versions")
        return replace(notation, date_format=self._epoch(view)) if kind in (None, "date") else notation

    def _epoch(self, view: NumberView) -> str | None:
        """Return the notation of numbers that count the time since 1970, when dates are expected here."""
        if (self.expected is not None and self.expected.kind == "date") or announces_date(self.name):
            numbers = view.numbers[view.is_number]
            return epoch_of(float(numbers.min()), float(numbers.max()))
        return None

    def _add_levels(self, cells: DistinctCells) -> None:
        values = cells.values
        if self.n_rows == 0:
            self.personal = personal_kind(values[:1000])
        if self.has_all_levels:
            self.longest = max(self.longest, max(map(len, values), default=0))
            self.has_all_levels = len({*self.levels, *cells.stripped} - {""}) <= MAX_LEVELS
            if not self.has_all_levels:
                self.levels.clear()
                return
            for value, count in zip(cells.stripped, cells.counts.tolist(), strict=True):
                self.levels[value] += count
            self.levels.pop("", None)

    def _add_distinct(self, cells: DistinctCells) -> None:
        if is_id_name(self.name) and cells.values:
            keys = text_keys(cells.values) if cells.keys is None else cells.keys
            self.distinct.add(keys[~cells.is_missing & (cells.counts > 0)])

    def _add_irregular(self, cells: DistinctCells, view: NumberView | None) -> None:
        values = cells.values
        if cells.stripped is not values:
            cells.record(self.spaced, with_outer_space(values, cells.stripped))
        cells.record(self.control, with_control_characters(values))
        cells.record(self.formulas, like_formulas(values, self.notation, view))

    def _add_missing(self, cells: DistinctCells) -> None:
        self.n_missing_as_text += cells.count(cells.is_missing)
        for position in np.flatnonzero(cells.is_missing).tolist():
            if token := cells.values[position].strip():
                self.tokens[token] += int(cells.counts[position])
        cells.record(self.missing, cells.is_missing, with_values=False)

    def _add_as_numbers(self, cells: DistinctCells, view: NumberView) -> None:
        self.n_missing_as_number += cells.count(view.is_missing | cells.is_missing)
        for position in np.flatnonzero(view.is_missing & ~cells.is_missing).tolist():
            if (token := cells.values[position].strip()) not in self.notation.kept:
                self.tokens[token] += int(cells.counts[position])
        self.n_numbers += cells.count(view.is_number)
        self.n_codes += cells.count(view.is_code)
        self.n_large += cells.count(view.is_large)
        self.n_number_like += cells.count(view.is_like)
        for position in np.flatnonzero(view.is_like)[: _MAX_LIKE - len(self.number_like)].tolist():
            self.number_like[cells.values[position]] += int(cells.counts[position])
        cells.record(self.like_codes, view.is_code | are_exponent_codes(cells.values))
        cells.record(self.not_numbers, ~(view.is_number | view.is_missing | cells.is_missing))
        if view.is_number.any():
            fractional = view.is_number & (np.rint(view.numbers) != view.numbers)
            self.n_fractions += cells.count(fractional)
            if self.expected is not None and self.expected.kind == "integer":
                cells.record(self.fractions, fractional)
            self.range.add(view.numbers[cells.codes], cells.lines, self.expected)

    def _add_unseen(self, cells: DistinctCells) -> None:
        if self.expected is None or self.expected.kind != "category" or self.expected.levels is None:
            return
        levels = set(self.expected.levels)
        is_unseen = np.array([value.strip() not in levels for value in cells.values], dtype=bool)
        cells.record(self.unseen, is_unseen & ~cells.is_missing)
