"""A file of labels is checked as a whole, and its rows are written in one form to be recorded."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.labels.problems import Marks, Problems
from mlops.dataset.labels.terms import BATCH_COLUMN, ROW_COLUMN, LabelTerms, NamedBatch
from mlops.dataset.limits import Limits
from mlops.dataset.notation.date_formats import UNDECIDED
from mlops.dataset.privacy import shown
from mlops.dataset.table.dates import read_dates
from mlops.dataset.validation.pieces import MarkedRows, TablePieces
from mlops.dataset.validation.reading_plan import plan_reading
from mlops.dataset.validation.survey.gathering import start_survey
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.validate import report_on, verdict_of
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.target.task import find_label
from mlops.pages.spreadsheet import CSV_LINE_END

# no clock is farther ahead of UTC
_AHEAD_OF_UTC = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """The columns of one file; `ids` are all of the group's or none, `batch` is None for the file's name."""

    label: str
    ids: tuple[str, ...]
    time: str | None
    row: str | None
    batch: str | None


def check_labels(
    table: TableFile, terms: LabelTerms, target: Path, *, file_name: str, now: datetime, limits: Limits
) -> ValidationReport:
    """Check a file of labels, and write its rows to `target` as `record_labels` takes them if all are right.

    Parameters
    ----------
    file_name
        As the file was named when it was dropped: it may name the batch.
    now
        When the file came, in UTC.
    """
    conversion = table.conversion
    if conversion is not None and conversion.is_refused:
        return conversion.rejection("labels")
    survey = start_survey(
        table.path, terms.settings, terms.contract, purpose="labels", limits=limits, conversion=conversion
    ).completed()
    report = report_on(survey)
    if report.verdict == "reject":
        return report
    columns = _columns_of(survey, terms)
    if isinstance(columns, Finding):
        return _with(report, [columns], 0)
    reader = _Reader(columns, terms, survey, file_name, now)
    n_rows = reader.write(
        TablePieces(table.path, survey.inspection, plan_reading(table.path, survey), {}), target
    )
    findings = list(reader.problems.findings(terms.classes))
    if not n_rows and not any(finding.severity == "reject" for finding in findings):
        advice = f"Fill the column {shown(columns.label)} and the ids, and drop the file again."
        findings.insert(0, Finding("no_labels", "reject", "No row has an id and an outcome.", advice=advice))
    return _with(report, findings, n_rows)


def _with(report: ValidationReport, findings: Sequence[Finding], n_rows: int) -> ValidationReport:
    all_findings = (*(f for f in findings if f.severity == "reject"), *report.findings,
                    *(f for f in findings if f.severity != "reject"))  # fmt: skip
    verdict = verdict_of(all_findings)
    return replace(report, verdict=verdict, findings=all_findings, n_rows=n_rows, contract=None)


def _columns_of(survey: Survey, terms: LabelTerms) -> LabelColumns | Finding:
    names = {name.casefold(): name for name in reversed(survey.names)}
    label = next((names[each.casefold()] for each in terms.label_columns if each.casefold() in names), None)
    if label is None:
        expected = " or ".join(shown(each) for each in terms.label_columns)
        advice = f"Name the column with the outcome {expected}, and drop the file again."
        return Finding("label_columns", "reject", "The file has no column with the outcome.", advice=advice)
    has_ids = bool(terms.id_columns) and set(terms.id_columns) <= set(survey.names)
    row, batch = (
        each if each in survey.names and each != label else None for each in (ROW_COLUMN, BATCH_COLUMN)
    )
    by_row = row is not None and (not has_ids or batch is not None)
    if not has_ids and not by_row:
        return _no_key(terms)
    time = next((each for each in terms.time_columns if each in survey.names and each != label), None)
    ids = terms.id_columns if has_ids else ()
    return LabelColumns(label, ids, time, row if by_row else None, batch if by_row else None)


def _no_key(terms: LabelTerms) -> Finding:
    """Return the finding about a file whose rows cannot be matched with predictions."""
    ids = ", ".join(map(shown, terms.id_columns))
    message = f"The file has no column {ids}." if ids else "The rows of this group have no ids."
    instead = f"the column{'' if len(terms.id_columns) == 1 else 's'} {ids}, or " if ids else ""
    advice = (
        f"Add {instead}the columns {BATCH_COLUMN} and {ROW_COLUMN} of the predictions; {BATCH_COLUMN} may be "
        "left out when the file is named as the folder of the predictions. Then drop the file again."
    )
    return Finding("label_columns", "reject", message, advice=advice)


class _Reader:
    """Reads the pieces of a file, writes the rows that can be recorded and collects what is wrong."""

    def __init__(
        self, columns: LabelColumns, terms: LabelTerms, survey: Survey, file_name: str, now: datetime
    ) -> None:
        self.problems = Problems()
        self._columns = columns
        self._terms = terms
        self._file_name = file_name
        self._now = pd.Timestamp(now)
        profile = survey.find(columns.time) if columns.time else None
        self._date_format = profile.date_format if profile is not None and profile.is_date else None
        self._batches: dict[str, NamedBatch | None] = {}
        self._classes: dict[str, str | None] = {}

    def write(self, pieces: TablePieces, target: Path) -> int:
        """Write the rows and return how many they are."""
        n_written = 0
        header = ("label_row", *self._terms.id_columns, "batch_id", "row", "label", "label_time")
        with target.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerow(header)
            for piece in pieces.plain():
                rows = self._rows(piece)
                rows.to_csv(stream, header=False, index=False, lineterminator=CSV_LINE_END)
                n_written += len(rows)
        return n_written

    def _rows(self, piece: MarkedRows) -> pd.DataFrame:
        """Return the rows that have a key and an outcome, in the form in which they are recorded."""
        frame, columns = piece.frame, self._columns
        numbers = frame.index.to_numpy(dtype=np.int64) + 1
        labels = self._labels(piece, numbers)
        has_outcome = labels.notna().to_numpy()
        cells: dict[str, NDArray[Any]] = {"label_row": numbers}
        for position, name in enumerate(self._terms.id_columns):
            cells[f"id {position}"] = frame[name].to_numpy() if columns.ids else np.full(len(frame), None)
        has_key = np.ones(len(frame), dtype=bool)
        if columns.row is None:
            has_key = frame[list(columns.ids)].notna().all(axis=1).to_numpy()
        cells["batch_id"], cells["row"] = self._batch_rows(frame, numbers, has_outcome)
        cells["label"], cells["label_time"] = labels.to_numpy(), self._times(frame, numbers)
        self.problems.n_without_outcome += int((~has_outcome).sum())
        self.problems.n_without_id += int((has_outcome & ~has_key).sum())
        return pd.DataFrame(cells)[has_outcome & has_key]

    def _labels(self, piece: MarkedRows, numbers: NDArray[np.int64]) -> pd.Series:
        name = self._columns.label
        cells = piece.frame[name]
        if not self._terms.classes:
            if name in piece.unreadable:
                self.problems.mark("label_numbers", numbers, piece.unreadable[name])
            return cells.where(np.isfinite(cells))
        for label in cells.dropna().unique():
            if label not in self._classes:
                self._classes[label] = find_label(label, self._terms.classes) or _same_number(
                    label, self._terms.classes
                )
        labels = cells.map(self._classes)
        is_unknown = (labels.isna() & cells.notna()).to_numpy()
        self.problems.mark("unknown_classes", numbers, is_unknown)
        self.problems.classes.update(cells[is_unknown].tolist())
        return labels

    def _batch_rows(
        self, frame: pd.DataFrame, numbers: NDArray[np.int64], has_outcome: Marks
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Return the batch and the row in it of each row, None for those that have ids instead."""
        nothing = np.full(len(frame), None, dtype=object)
        if self._columns.row is None:
            return nothing, nothing
        names = (
            frame[self._columns.batch].fillna("")
            if self._columns.batch
            else pd.Series(_stem(self._file_name), index=frame.index)
        )
        for name in names.unique():
            if name not in self._batches:
                candidates = tuple(self._terms.batches(str(name)))
                self._batches[name] = candidates[0] if len(candidates) == 1 else None
        batches = [self._batches[name] for name in names]
        is_unknown = np.array([batch is None for batch in batches], dtype=bool)
        rows = pd.to_numeric(frame[self._columns.row], errors="coerce").to_numpy(dtype=np.float64)
        limits = np.array([batch.n_rows if batch else np.inf for batch in batches])
        is_outside = ~((rows >= 1) & (rows <= limits) & (np.rint(rows) == rows))
        self.problems.mark("label_batches", numbers, is_unknown & has_outcome)
        self.problems.mark("label_rows", numbers, is_outside & ~is_unknown & has_outcome)
        ids = np.array([batch.batch_id if batch else None for batch in batches], dtype=object)
        return ids, np.array([None if np.isnan(row) else int(row) for row in rows], dtype=object)

    def _times(self, frame: pd.DataFrame, numbers: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return the time of each outcome as text; a day without a time ends at midnight, or now."""
        if self._columns.time is None:
            return np.full(len(frame), None, dtype=object)
        cells = frame[self._columns.time]
        has_time = cells.notna().to_numpy()
        if self._date_format == UNDECIDED:
            self.problems.mark("label_times", numbers, has_time)
            return np.full(len(frame), None, dtype=object)
        moments = read_dates(cells.astype(object), self._date_format)
        self.problems.mark("label_times", numbers, has_time & moments.isna().to_numpy())
        self.problems.mark("future_labels", numbers, (moments > self._now + _AHEAD_OF_UTC).to_numpy())
        is_day = ~cells.astype("string").str.contains(":", regex=False).fillna(value=True).to_numpy(
            dtype=bool
        )
        known_at = moments.where(~is_day, moments + timedelta(days=1, milliseconds=-1))
        known_at = known_at.where(~(known_at > self._now), self._now)
        texts: NDArray[np.object_] = known_at.dt.strftime("%Y-%m-%d %H:%M:%S.%f").to_numpy(dtype=object)
        return texts


def _stem(file_name: str) -> str:
    """Return the name of a file without its endings."""
    name = PurePosixPath(file_name).name
    return name.removesuffix(".gz").rsplit(".", 1)[0]


def _same_number(label: str, classes: Sequence[str]) -> str | None:
    """Return the class that is the same whole number: `1.0` is written for 1 by programs."""
    try:
        number = float(label)
    except ValueError:
        return None
    return next(
        (each for each in classes if each.isdecimal() and float(each) == number and str(int(each)) == each),
        None,
    )
