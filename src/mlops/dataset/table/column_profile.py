"""What one column holds, by what was counted of it.

Here it is decided whether a column holds numbers, codes, dates, categories or text, and whether it is an id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlops.dataset.notation.date_formats import format_of
from mlops.dataset.notation.notation import Notation
from mlops.dataset.notation.number_formats import number_notation
from mlops.dataset.notation.recognition import NUMERIC_SHARE
from mlops.dataset.notation.stated import stated_notation
from mlops.dataset.table.cells import MISSING_EVERYWHERE
from mlops.dataset.table.column_names import is_id_name
from mlops.dataset.table.counts.column_counts import ColumnCounts
from mlops.dataset.table.occurrences import Occurrences
from mlops.models.dataset import ColumnKind, Contract
from mlops.models.settings.format import FileFormatSettings

FEW_LEVELS = 20
# so many of the numbers beside fractions must have leading zeros to be codes
_MIN_CODE_SHARE = 0.1
_MAX_LEVEL_SHARE = 0.2
_LONGEST_CATEGORY = 200
# distinct values of the rows: ids of persons repeat, visit after visit; in few rows half must differ
_MIN_ID_SHARE, _NEARLY_UNIQUE = 0.2, 0.5
# a column of which `model.toml` states one of these holds values, not ids
_STATED_VALUES = frozenset(("kind", "levels", "open_levels", "minimum", "maximum"))


@dataclass(slots=True)
class ColumnProfile(ColumnCounts):
    """What the counts of a column mean; the contract decides where it says something."""

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers, by contract or by what most of its cells are."""
        if self.expected is not None and self.is_decided:
            return self.expected.kind in ("integer", "number")
        return self._looks_numeric and not (self.has_codes or self.has_dates)

    @property
    def _looks_numeric(self) -> bool:
        """Whether most cells are numbers, written in any way."""
        meant = self.n_numbers + self.n_number_like
        present = meant + self.not_numbers.count - self.n_number_like
        return self.n_numbers > 0 and meant >= NUMERIC_SHARE * present

    @property
    def has_codes(self) -> bool:
        """Whether digits are names here: stated as text, beginning with 0, or too long for a number."""
        if self.is_stated_text and self._looks_numeric:
            return True
        if self.notation.code is not None or self.n_large > (1 - NUMERIC_SHARE) * self.n_numbers:
            return True
        # `00` among decimals is a number; among whole numbers it is a code as `01` is
        return self.n_codes > (_MIN_CODE_SHARE * self.n_numbers if self.n_fractions else 0)

    @property
    def is_like_numbers(self) -> bool:
        """Whether most cells were meant as numbers but are written in several other ways."""
        present = self.n_numbers + self.not_numbers.count
        is_other = self.is_stated_text or self.has_codes or self.has_dates
        return present > 0 and self.n_number_like >= NUMERIC_SHARE * present and not is_other

    @property
    def is_id(self) -> bool:
        """Whether the column names the rows: by its name, and because its values almost never repeat."""
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
        if self.expected is not None and self.is_decided:
            return self.expected.kind == "date"
        return self.has_dates

    @property
    def has_dates(self) -> bool:
        """Whether most cells are dates, whatever the contract says."""
        return self.date_format is not None

    @property
    def date_format(self) -> str | None:
        """The notation of the dates, None when the cells are not dates."""
        present = self.n_rows - self.n_missing_as_number
        is_stated = self.is_settled or (self.is_decided and self.is_date)
        min_cells = 1 if is_stated else NUMERIC_SHARE * present
        if is_stated and self.notation.date_format is not None:
            return self.notation.date_format
        return format_of(self.dates.formats, min_cells=min_cells, preferred=self.notation.date_format)

    @property
    def unreadable(self) -> Occurrences:
        """The cells that are not what the column holds, and are read as missing."""
        if self.is_numeric:
            return self.not_numbers
        return self.dates.impossible.merged(self.dates.misfits) if self.is_date else Occurrences()

    @property
    def final_notation(self) -> Notation:
        """How the cells should have been read, now that all of them were seen."""
        notation = replace(self.notation, date_format=self.date_format)
        if self.is_settled or not self.is_numeric or not self.number_like:
            return notation
        if self.is_decided or not notation.has_plain_numbers:
            return notation
        counts = np.array(list(self.number_like.values()), np.int64)
        later = number_notation(list(self.number_like), counts, notation, min_share=1.0)
        if later is None or later.unit is not None:
            return notation
        reads_fractions = later.decimal == notation.decimal or self.n_fractions == 0
        return later if reads_fractions else notation

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
            is_whole = self.n_fractions == 0 and not (self.expected and self.expected.kind == "number")
            return "integer" if is_whole else "number"
        if self.expected is not None and self.is_decided:
            return self.expected.kind
        if self.is_date:
            return "date"
        n_levels = self.n_levels
        present = self.n_rows - self.n_missing
        few = n_levels is not None and (n_levels <= FEW_LEVELS or n_levels <= _MAX_LEVEL_SHARE * present)
        return "category" if few and self.longest <= _LONGEST_CATEGORY else "text"


def blank_columns(
    names: Sequence[str],
    contract: Contract | None,
    notations: Mapping[int, Notation],
    form: FileFormatSettings,
    decimal: str,
) -> tuple[ColumnProfile, ...]:
    """Return the profiles of columns of which no cell was seen.

    Parameters
    ----------
    notations
        How the cells of some columns are written, by position, when an earlier look has shown it.
    form, decimal
        `[format]` of the settings, and the decimal mark of the file.
    """
    expected = [contract.column(name) if contract else None for name in names]
    return tuple(
        ColumnProfile(position, name, expected[position], notations[position], is_settled=True)
        if position in notations
        else ColumnProfile(
            position, name, expected[position], stated_notation(expected[position], form, decimal)
        )
        for position, name in enumerate(names)
    )
