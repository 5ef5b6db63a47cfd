"""Predictions of a candidate beside those of the champion, row by row, as counts that can be added up."""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from mlops.models.output_columns import PREDICTION_COLUMN, PROBABILITY_PREFIX, ROW_COLUMN
from mlops.models.scoring.batch_files import open_predictions
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.shadow import ShadowAgreement, ShadowPart

# of a value that fewer rows of a batch have nothing is stored: it could name a person
MIN_ROWS_OF_A_VALUE = 20
MAX_VALUES = 30  # of one column, the most frequent ones
_OTHER = "other values"


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """A file of predictions, and what its columns are called."""

    path: Path
    columns: PredictionColumns

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the rows by column, in their order."""
        with TextIOWrapper(open_predictions(self.path), "utf-8", newline="") as stream:
            yield from csv.DictReader(stream)

    def predictions(self) -> Iterator[tuple[str, str]]:
        """Yield number and prediction of each row that has one."""
        for row in self.rows():
            if row[PREDICTION_COLUMN]:
                yield row[ROW_COLUMN], row[PREDICTION_COLUMN]


def compare(champion: ScoredFile, candidate: ScoredFile, segments: Sequence[str] = ()) -> ShadowAgreement:
    """Count where two models agree on the rows of one file.

    Rows are grouped by the champion's prediction, of classes with its probability in tenths, of numbers by
    powers of two, and by the values of columns.

    Parameters
    ----------
    segments
        Columns of the scored file that the file of the candidate has; others are left out.
    """
    is_number = not champion.columns.labels
    of_file = {**candidate.columns.ids, **candidate.columns.inputs}
    columns = {name: of_file[name] for name in segments if name in of_file}
    counts = _Counts()
    for ours, theirs in zip(champion.rows(), candidate.rows(), strict=True):
        before, after = ours[PREDICTION_COLUMN], theirs[PREDICTION_COLUMN]
        if not before or not after:
            counts.only["champion"] += bool(before)
            counts.only["candidate"] += bool(after)
            continue
        difference = abs(float(before) - float(after)) if is_number else 0.0
        part = ShadowPart(1, int(difference > 0 if is_number else before != after), difference)
        counts.bins[_power_of_two(float(before)) if is_number else _bin(ours, before)].append(part)
        for name, column in columns.items():
            counts.values[name][theirs[column] or "missing"].append(part)
        if not is_number and before != after:
            counts.changes[f"{before} -> {after}"] += 1
    return counts.agreement(is_number=is_number)


class _Parts:
    """A sum of parts that grows."""

    def __init__(self) -> None:
        self.total = ShadowPart()

    def append(self, part: ShadowPart) -> None:
        self.total += part


class _Counts:
    """What is counted while the rows pass."""

    def __init__(self) -> None:
        self.bins: defaultdict[str, _Parts] = defaultdict(_Parts)
        self.values: defaultdict[str, defaultdict[str, _Parts]] = defaultdict(lambda: defaultdict(_Parts))
        self.changes: Counter[str] = Counter()
        self.only: Counter[str] = Counter()

    def agreement(self, *, is_number: bool) -> ShadowAgreement:
        parts = {name: part.total for name, part in self.bins.items()}
        for column, values in self.values.items():
            for value, part in _frequent(values).items():
                parts[f"{column} = {value}"] = part
        return ShadowAgreement(
            is_number=is_number,
            n_batches=1,
            total=sum((part.total for part in self.bins.values()), ShadowPart()),
            parts=dict(sorted(parts.items())),
            changes=dict(sorted(self.changes.items())),
            n_only_champion=self.only["champion"],
            n_only_candidate=self.only["candidate"],
        )


def _frequent(values: Mapping[str, _Parts]) -> dict[str, ShadowPart]:
    """Return the values that many rows have; all others are one."""
    ordered = sorted(values.items(), key=lambda entry: (-entry[1].total.n_rows, entry[0]))
    frequent = {
        value: part.total for value, part in ordered[:MAX_VALUES] if part.total.n_rows >= MIN_ROWS_OF_A_VALUE
    }
    others = sum((part.total for value, part in ordered if value not in frequent), ShadowPart())
    return {**frequent, _OTHER: others} if others.n_rows else frequent


def _bin(row: Mapping[str, str], label: str) -> str:
    """Name the rows that the champion gives a class with about the same probability."""
    probability = row.get(PROBABILITY_PREFIX + label)
    if not probability:
        return f"predicted {label}"
    tenth = min(int(float(probability) * 10), 9)
    return f"predicted {label}, probability {tenth / 10:.1f} to {(tenth + 1) / 10:.1f}"


def _power_of_two(value: float) -> str:
    """Name the rows that the champion gives numbers of the same order."""
    if value == 0:
        return "predicted 0"
    low = 2.0 ** math.floor(math.log2(abs(value)))
    ends = (low, 2 * low) if value > 0 else (-2 * low, -low)
    return "predicted {:g} to {:g}".format(*ends)
