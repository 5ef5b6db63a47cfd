"""Records of what moves the predictions: contributions of columns at training, in a batch, and compared."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ContributionSums(Record):
    """Sums over some rows of what each column adds to the raw output of the model.

    They add up over batches, and their size is independent of the number of rows. `total` and
    `total_squares` are the sums of T and T^2, where T is the sum of the absolute contributions of all columns
    of a row. Of each of `columns`, in their order: `signed` are the sums of the contributions c, `absolute`
    those of |c|, `squares` those of c^2, `with_total` those of |c| T.
    """

    n_rows: int
    total: float
    total_squares: float
    columns: tuple[str, ...]
    signed: tuple[float, ...]
    absolute: tuple[float, ...]
    squares: tuple[float, ...]
    with_total: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ContributionChange(Record):
    """What a column adds to the predictions, before and now.

    The shares are parts of the absolute contributions of all columns, 0..1. The means are contributions with
    their sign, in units of the raw output. `effect` is Cohen's h of both shares (0.0 = same, larger = more
    drift, at most pi); small `q_value` = the change of the share is significant.
    """

    column: str
    share_before: float
    share_now: float
    mean_before: float
    mean_now: float
    effect: float
    q_value: float
    has_drift: bool


@dataclass(frozen=True, slots=True)
class ContributionDrift(Record):
    """Whether the predictions are moved by the same columns as those of the held-out rows.

    `score` is the largest effect of a significant change of a share, within the range of the verdict
    and at most 1: 0.0 = same, larger = more drift. `is_judged` is False with too few rows. `columns` are all
    columns, the largest change first.
    """

    n_rows_reference: int
    n_rows: int
    is_judged: bool
    score: float
    columns: tuple[ContributionChange, ...]

    @property
    def columns_with_drift(self) -> tuple[str, ...]:
        """The names of the columns whose share changed, the largest change first."""
        return tuple(change.column for change in self.columns if change.has_drift)
