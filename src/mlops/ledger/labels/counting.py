"""What is counted of the joined predictions of one version: `LabelledPredictions` of monitoring."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops.infrastructure.duckdb_engine import connect
from mlops.ledger.files import LedgerFiles, fetch_all, group_prefix, keys_since
from mlops.ledger.labels.joining import JoinTerms, join_labels
from mlops.ledger.sql import text
from mlops.models.evaluation import SliceQuality
from mlops.models.scoring.quality import LabelCounts
from mlops.models.scoring.shadow import ShadowQuality
from mlops.monitoring.quality.counts import ClassCounts, Counts, ExpectedCounts, IntervalSums, NumberSums
from mlops.monitoring.quality.dependence import N_CLUSTERS
from mlops.monitoring.quality.periods import Labelled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# the process has some 100 MB beside it
_MEMORY = "160MB"
# from when the labels came; each is up to before the next
_DELAYS = {"less than a day": 1, "1 to 7 days": 8, "8 to 30 days": 31, "more than 30 days": 1_000_000}
# probabilities that differ by 1 % in their odds count as equal; by 10 % where persons are counted as well
_BIN = "CAST(round({} * ln(greatest(probability, 1e-9) / greatest(1 - probability, 1e-9))) AS INTEGER)"
_OF_CLASSES = "count(*) AS n, sum(probability) AS first, sum(probability * probability) AS second"
_OF_NUMBERS = (
    "count(*), sum(predicted - label), sum(abs(predicted - label)), sum((predicted - label) ** 2), "
    "sum((predicted - label) ** 4), max((predicted - label) ** 2), sum(label), "
    "coalesce(var_pop(label), 0) * count(*)"
)
_CLUSTER = f"person % {N_CLUSTERS}"
_OF_CHANCES = (
    "sum(chance) AS n, sum(chance * probability) AS first, sum(chance * probability * probability) AS second"
)
_RANGE = re.compile(r"below (?P<below>\S+)|from (?P<start>\S+)|(?P<low>\S+) to (?P<high>\S+)")


class JoinedPredictions:
    """The predictions of one version since a day, and their labels; `of` gives those of another version."""

    def __init__(
        self, connection: DuckDBPyConnection, terms: JoinTerms, label_counts: LabelCounts, version: str
    ) -> None:
        self.label_counts = label_counts
        self._connection = connection
        self._terms = terms
        self._version = version
        self._of_version = f"batch IN (SELECT batch FROM batches WHERE model_version = {text(version)})"
        ((self._repeats,),) = connection.execute(
            f"SELECT count(*) > count(DISTINCT person) FROM joined WHERE {self._of_version}"
        ).fetchall()

    def of(self, version: str) -> JoinedPredictions:
        """Return those of another version."""
        return JoinedPredictions(self._connection, self._terms, self.label_counts, version)

    def versions(self) -> list[str]:
        """Return the versions that scored since the day, in the order of their names."""
        rows = self._connection.execute("SELECT DISTINCT model_version FROM batches ORDER BY model_version")
        return [version for (version,) in rows.fetchall()]

    def matched_labels(self, upload_id: str) -> int:
        """Return how many labels of one file have a prediction, of any version."""
        ((n,),) = self._connection.execute(
            "SELECT count(*) FROM matched JOIN labelled USING (number) JOIN uploads USING (upload) "
            f"WHERE upload_id = {text(upload_id)}"
        ).fetchall()
        return int(n)

    def shadow_quality(self) -> ShadowQuality | None:
        """Return the quality of this version and of that in shadow, on the labelled rows of both.

        None when the terms name no version in shadow, and without such rows. Outcomes of a class that this
        version does not have are left out.
        """
        candidate = self._terms.shadow_version
        if candidate is None:
            return None
        is_number = not self._terms.labels
        ours, theirs = (
            ("abs(predicted - label)", "abs(shadow - label)")
            if is_number
            else ("CAST(predicted = label AS INTEGER)", "CAST(shadow = label AS INTEGER)")
        )
        condition = "TRUE" if is_number else "label >= 0"
        ((n_labels, champion_mean, candidate_mean),) = self._connection.execute(
            f"SELECT count(*), avg({ours}), avg({theirs}) FROM joined "
            f"WHERE {self._of_version} AND shadow IS NOT NULL AND {condition}"
        ).fetchall()
        if not n_labels:
            return None
        return ShadowQuality(self._version, candidate, is_number, n_labels, champion_mean, candidate_mean)

    def days(self) -> Mapping[date, Labelled]:
        """Return them by the day on which they were scored."""
        sizes = self._connection.execute(
            "SELECT CAST(scored_at AS DATE), count(*) FROM predicted JOIN batches USING (batch) WHERE "
            f"{self._of_version} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        counts = self._counted("day", "TRUE")
        return {day: Labelled(counts.get(day, self._nothing()), n) for day, n in sizes}

    def expected_days(self) -> Mapping[date, ExpectedCounts]:
        """Return what is expected of their outcomes by day, with or without a label.

        Of classes each prediction counts for every class, with the probability of the class. Predictions
        without probabilities, or without intervals, are left out.
        """
        is_binary, n_classes = self._terms.task == "binary", len(self._terms.labels)
        source = f"predicted JOIN batches USING (batch) WHERE {self._of_version}"
        if not n_classes:
            rows = self._connection.execute(f"""
                SELECT CAST(scored_at AS DATE) AS day, count(*), sum(width), sum(width * width)
                FROM {source} AND width IS NOT NULL GROUP BY day""").fetchall()
            return {day: IntervalSums(*sums) for day, *sums in rows}
        chances = (
            ("1 - probability", "probability") if is_binary else map("chance_{}".format, range(n_classes))
        )
        of_classes = " UNION ALL ".join(
            f"SELECT CAST(scored_at AS DATE) AS day, {label} AS label, predicted, "
            f"{_BIN.format(100) if is_binary else 0} AS bin, {chance} AS chance, probability FROM {source}"
            for label, chance in enumerate(chances)
        )
        return _by_part(
            self._connection.execute(f"""
            SELECT day, label, predicted, bin, {_OF_CHANCES} FROM ({of_classes}) WHERE chance IS NOT NULL
            GROUP BY ALL ORDER BY day""")
        )

    def delays(self, days: Sequence[date]) -> Mapping[str, Labelled]:
        """Return those of some days by the days between prediction and label."""
        cases = " ".join(f"WHEN delay_days < {end} THEN {text(name)}" for name, end in _DELAYS.items())
        counts = self._counted(f"CASE {cases} END", _of_days(days))
        return {name: Labelled(counts[name], counts[name].n_labels) for name in _DELAYS if name in counts}

    def segments(
        self, days: Sequence[date], slices: Sequence[SliceQuality]
    ) -> Sequence[tuple[SliceQuality, Labelled]]:
        """Return those of some days by slice; a slice without a label is left out."""
        segments = []
        for number, column in enumerate(self._terms.columns):
            of_column = [entry for entry in slices if entry.column == column]
            cases = " ".join(
                f"WHEN {_condition(entry.value, f'slice_{number}')} THEN {position}"
                for position, entry in enumerate(of_column)
            )
            if not cases:
                continue
            expression = f"CASE {cases} END"
            counts = self._counted(expression, _of_days(days))
            sizes = self._sizes(expression, days)
            segments += [
                (entry, Labelled(counts[position], sizes[position]))
                for position, entry in enumerate(of_column)
                if position in counts
            ]
        return segments

    def _sizes(self, expression: str, days: Sequence[date]) -> Mapping[int, int]:
        rows = self._connection.execute(f"""
            SELECT {expression} AS part, count(*)
            FROM (SELECT *, CAST(scored_at AS DATE) AS day FROM predicted JOIN batches USING (batch)) AS dated
            WHERE {self._of_version} AND {_of_days(days)} GROUP BY part""")
        return dict(rows.fetchall())

    def _counted(self, expression: str, condition: str) -> Mapping[Any, Counts]:
        """Return the counts of the joined rows by the value of an expression."""
        if not self._terms.labels:
            return self._summed(expression, condition)
        cluster = f", {_CLUSTER} AS cluster" if self._repeats else ""
        equal = _BIN.format(10 if self._repeats else 100)
        return _by_part(
            self._connection.execute(f"""
            SELECT {expression} AS part, label, predicted, coalesce({equal}, 0) AS bin, {_OF_CLASSES}{cluster}
            FROM joined WHERE {self._of_version} AND {condition} GROUP BY ALL ORDER BY part""")
        )

    def _summed(self, expression: str, condition: str) -> Mapping[Any, NumberSums]:
        source = f"FROM joined WHERE {self._of_version} AND {condition}"
        rows = self._connection.execute(
            f"SELECT {expression} AS part, {_OF_NUMBERS} {source} GROUP BY part"
        ).fetchall()
        if not self._repeats:
            return {part: NumberSums(*sums) for part, *sums in rows}
        clusters = {part: np.zeros((3, N_CLUSTERS)) for part, *_ in rows}
        of_clusters = self._connection.execute(f"""
            SELECT {expression} AS part, {_CLUSTER} AS cluster, count(*), sum(abs(predicted - label)),
                sum((predicted - label) ** 2) {source} GROUP BY ALL""").fetchall()
        for part, cluster, *sums in of_clusters:
            clusters[part][:, cluster] = sums
        return {part: replace(NumberSums(*sums), clusters=clusters[part]) for part, *sums in rows}

    def _nothing(self) -> Counts:
        return ClassCounts.of_columns([np.zeros(0)] * 6) if self._terms.labels else NumberSums()


@contextmanager
def joined_predictions(
    group: str, version: str, terms: JoinTerms, *, ledger: LedgerFiles, labels: LedgerFiles, since: date
) -> Iterator[JoinedPredictions]:
    """Provide the joined predictions of a version; the files of the group are copied meanwhile."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        predicted = fetch_all(ledger, keys_since(ledger, group, since), root / "ledger")
        every_label = [file.key for file in labels.list(group_prefix(group))]
        labelled = fetch_all(labels, every_label, root / "labels")
        with closing(connect([root], scratch=root, memory=_MEMORY, threads=1)) as connection:
            counts = join_labels(connection, predicted, labelled, since=since, terms=terms)
            yield JoinedPredictions(connection, terms, counts, version)


def _by_part(result: DuckDBPyConnection) -> dict[Any, ClassCounts]:
    """Return the counts of ordered rows by their first column; arrays, as there may be a million rows."""
    parts, *columns = (np.ma.asarray(column) for column in result.fetchnumpy().values())
    if not len(parts):
        return {}
    starts = [0, *(np.flatnonzero(parts[1:] != parts[:-1]) + 1)]
    counts = {}
    for start, end in zip(starts, [*starts[1:], len(parts)], strict=True):
        of_part = [np.ma.filled(column[start:end].astype(np.float64), np.nan) for column in columns]
        counts[_part(parts[start])] = ClassCounts.of_columns(of_part)
    return counts


def _part(value: Any) -> Any:
    """Return a cell of the first column: days as dates."""
    cell = value.item() if isinstance(value, np.generic) else value
    return cell.date() if isinstance(cell, datetime) else cell


def _of_days(days: Sequence[date]) -> str:
    return f"day IN ({', '.join(f'DATE {text(day.isoformat())}' for day in days)})"


def _condition(value: str, column: str) -> str:
    """Return which rows are in a slice, by its name: a level, a range of numbers, or all other levels."""
    if value == "missing":
        return f"{column} IS NULL"
    if value.startswith("other ("):
        return f"{column} IS NOT NULL"  # after the levels
    match = _RANGE.fullmatch(value)
    if match is None:
        return f"{column} = {text(value)}"
    number = f"TRY_CAST({column} AS DOUBLE)"
    bounds = {name: bound for name, bound in match.groupdict().items() if bound is not None}
    if not all(map(_is_number, bounds.values())):
        return f"{column} = {text(value)}"
    low, high = bounds.get("start") or bounds.get("low"), bounds.get("below") or bounds.get("high")
    conditions = ([f"{number} >= {low}"] if low else []) + ([f"{number} < {high}"] if high else [])
    return (
        f"({column} = {text(value)} OR ({' AND '.join(conditions)}))"  # a level may be written like a range
    )


def _is_number(text_of_number: str) -> bool:
    try:
        return math.isfinite(float(text_of_number))
    except ValueError:
        return False
