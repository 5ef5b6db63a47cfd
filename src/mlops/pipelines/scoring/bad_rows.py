"""Rows that cannot be scored: which ones they are, and when they are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from mlops.models.errors import DatasetError
from mlops.models.record import Record
from mlops.models.scoring.prediction import SCORED
from mlops.models.settings.scoring import ScoringSettings
from mlops.pipelines.scoring.row_status import RowStatuses

_MAX_LISTED = 10
_MAX_REASONS = 5


@dataclass(frozen=True, slots=True)
class BadRows(Record):
    """How many rows have each status, and the numbers of the first ones of each reason."""

    counts: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, statuses: RowStatuses, start: int) -> Self:
        """Count some rows, of which the first one is at the position `start` of the file."""
        first = {
            reason: tuple((np.flatnonzero(statuses.codes == code)[:_MAX_LISTED] + start + 1).tolist())
            for code, reason in enumerate(statuses.names[1:], start=1)
        }
        return cls(statuses.counts(), first)

    def plus(self, later: Self) -> Self:
        """Return the counts of both; `later` are rows that follow."""
        first = {
            reason: (*self.first.get(reason, ()), *later.first.get(reason, ()))[:_MAX_LISTED]
            for reason in dict.fromkeys((*self.first, *later.first))
        }
        return type(self)(Counter(self.counts) + Counter(later.counts), first)

    def refuse_too_many(self, settings: ScoringSettings, name: str) -> None:
        """Refuse a file of which too much cannot be scored.

        Raises
        ------
        DatasetError
            If there are no rows, or more bad ones than the settings allow; the first ones are listed.
        """
        n_rows = sum(self.counts.values())
        n_bad = n_rows - self.counts.get(SCORED, 0)
        if n_rows == 0:
            raise DatasetError(f"{name} has no rows to score.")
        if settings.refuses(n_bad, n_rows):
            raise DatasetError(
                f"{name} is not scored: {n_bad:,} of {n_rows:,} rows cannot be scored, {self._reasons()}."
                f" Correct these rows (row 1 follows the header) and drop the file again"
                f"{_remedy(n_bad, n_rows)}."
            )

    def _reasons(self) -> str:
        reasons = [reason for reason, _ in Counter(self.counts).most_common() if reason != SCORED]
        listed = [self._reason(reason) for reason in reasons[:_MAX_REASONS]]
        more = len(reasons) - _MAX_REASONS
        return "; ".join(listed) + (f"; and {more} other reasons" if more > 0 else "")

    def _reason(self, reason: str) -> str:
        rows, count = self.first[reason], self.counts[reason]
        more = f" and {count - len(rows):,} more" if count > len(rows) else ""
        return f"{reason} (row{'s' if count > 1 else ''} {', '.join(map(str, rows))}{more})"


def _remedy(n_bad: int, n_rows: int) -> str:
    """Return the setting that accepts so many rows; there is none when no row is left."""
    if n_bad == n_rows:
        return ""
    share = -(-100 * n_bad // n_rows) / 100
    return f", or accept them with max_bad_share = {share:.2f} in [scoring] of model.toml"
