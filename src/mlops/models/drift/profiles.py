"""Records of a model's inputs and outputs at training, and of a later batch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from mlops.models.drift.contributions import ContributionSums
from mlops.models.record import Record

FeatureKind = Literal["numeric", "categorical"]
Binning = Literal["quantiles", "values", "levels"]


@dataclass(frozen=True, slots=True)
class FeatureProfile(Record):
    """One feature in the training rows, frozen with the model version.

    A numeric feature is cut into *cells*, the right-closed intervals between neighbours in `edges` (outer
    cells are open). `bins` gives for every cell the bin that the statistics are computed on: about a tenth of
    the rows each, or one value each when there are at most 20. A categorical feature has one cell per entry
    of `levels` and a last one for all other levels. `counts` holds the training rows per cell; missing values
    are in `n_missing` and in no cell.
    """

    name: str
    kind: FeatureKind
    binning: Binning
    n_rows: int
    n_missing: int
    n_distinct: int
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    bins: tuple[int, ...] = ()
    levels: tuple[str, ...] = ()
    rare_levels: tuple[str, ...] = ()
    n_singletons: int = 0
    low_fence: float | None = None
    high_fence: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    median: float | None = None
    importance: float | None = None

    @property
    def missing_share(self) -> float:
        """The missing values' share of the rows, 0..1."""
        return self.n_missing / self.n_rows if self.n_rows else 0.0


@dataclass(frozen=True, slots=True)
class FeatureCounts(Record):
    """One feature in a batch, counted over the cells of its `FeatureProfile`.

    `n_missing` includes the rows whose column was absent (`n_absent`) and those whose value has another type
    (`n_retyped`). `new_levels` holds the alphabetically first of the categories that training never saw,
    with their rows; `n_new` counts the rows of all of them.
    """

    counts: tuple[int, ...]
    n_missing: int = 0
    n_absent: int = 0
    n_retyped: int = 0
    n_new: int = 0
    new_levels: Mapping[str, int] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, strict: bool = False) -> Self:  # noqa: ARG003
        """Build the record; written out because a nightly check reads 50,000 of them."""
        return cls(**{**document, "counts": tuple(document["counts"])})


@dataclass(frozen=True, slots=True)
class SegmentCounts(Record):
    """The rows of one segment, counted over the cells of a baseline: its important features, and outputs.

    `output_sums` are the sums of the outputs that are numbers, over the rows that have some.
    """

    n_rows: int
    features: Mapping[str, FeatureCounts]
    outputs: Mapping[str, FeatureCounts] = field(default_factory=dict)
    output_sums: Mapping[str, float] = field(default_factory=dict)

    def mean(self, output: str) -> float | None:
        """Return the mean of an output; None without rows that have it."""
        n = sum(self.outputs[output].counts) if output in self.outputs else 0
        return self.output_sums[output] / n if n and output in self.output_sums else None


@dataclass(frozen=True, slots=True)
class Segment(Record):
    """The rows with a level of a column, or with a number from `low` to below `high`; and how they were.

    `reference` counts the features in the training rows and the outputs of the held-out rows.
    """

    column: str
    value: str
    reference: SegmentCounts
    level: str | None = None
    low: float | None = None
    high: float | None = None

    @property
    def name(self) -> str:
        """The name of the segment, as reports show it."""
        return f"{self.column}: {self.value}"


@dataclass(frozen=True, slots=True)
class BaselineStatistics(Record):
    """The inputs of a model as they were at training; what later batches are compared with.

    `excluded` says for every column of the training file that is not watched why it is not.
    `schema_hash` identifies the cells: only profiles over the same cells can be added or compared.
    `outputs` are what the model says of the held-out rows; before release 0.3 there are none. `segments` are
    the largest slices of the columns that the settings name. `contributions` are what moved the predictions
    of the held-out rows, where the settings ask for reasons.
    """

    features: Mapping[str, FeatureProfile]
    n_rows: int
    schema_hash: str
    excluded: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    model_version: str | None = None
    format_version: int = 1
    outputs: Mapping[str, FeatureProfile] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    contributions: ContributionSums | None = None

    def to_json(self) -> str:
        """Return the record as JSON on one line: counts one below the other would be four times as long."""
        return on_one_line(self)


@dataclass(frozen=True, slots=True)
class BatchProfile(Record):
    """One batch of rows, counted over the cells of a baseline; two of them add up to the profile of both.

    `outputs` are what the model says of the rows that were scored; none where nothing was predicted.
    `segments` are those of the baseline whose column the rows have, by name. `contributions` are what moved
    the predictions, of files that were scored with reasons.
    """

    schema_hash: str
    n_rows: int
    features: Mapping[str, FeatureCounts]
    extra_columns: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, FeatureCounts] = field(default_factory=dict)
    segments: Mapping[str, SegmentCounts] = field(default_factory=dict)
    contributions: ContributionSums | None = None

    def to_json(self) -> str:
        """Return the record as JSON on one line: a nightly check reads a thousand of them."""
        return on_one_line(self)


def on_one_line(record: Record) -> str:
    """Return a record as JSON on one line."""
    document = record.to_dict()
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
