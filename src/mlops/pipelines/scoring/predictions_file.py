"""Writes predictions as CSV: one row for each row of the scored file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import compress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from mlops.dataset.form.compressing import compress_file
from mlops.dataset.table.values import as_texts, distinct_values, is_text
from mlops.models.scoring.batch_files import COMPRESSED_PREDICTIONS, PREDICTIONS, is_compressed
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.reason import SEPARATOR
from mlops.models.scoring.scored_table import ScoredTable
from mlops.pages.spreadsheet import FORMULA_SIGNS, without_formula
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.scoring.cell_bytes import (
    CellBytes,
    count_cells,
    joined,
    number_cells,
    spread,
    text_cells,
)
from mlops.pipelines.scoring.reasons import quoted_name
from mlops.pipelines.scoring.scored_rows import ScoredRows

# 200,000 rows: 0.08 CPU seconds to a third of the size; level 6 needs 0.38 and saves 8 % more
_COMPRESSION_LEVEL = 1
_SPECIAL = frozenset(',"\r\n')
# a character that is quoted, or that may begin a formula
_NOT_PLAIN = re.compile(rf'[,"\r]|(?m:^)\s*[{re.escape(FORMULA_SIGNS)}]')
_SIGNS = (*'",', *FORMULA_SIGNS)


@dataclass(frozen=True, slots=True)
class PredictionsWriter:
    """Writes rows in the order in which they come.

    With `escapes_formulas` a text that a spreadsheet would run begins with an apostrophe.
    """

    stream: BinaryIO
    columns: PredictionColumns
    model_version: str
    escapes_formulas: bool

    def write_header(self) -> None:
        """Write the names of the columns."""
        self.stream.write(header_line(self.columns).encode())

    def write(self, rows: ScoredRows) -> None:
        """Write some rows; the first one of the file has the number 1."""
        self.stream.write(joined(self._cells(rows)))

    def _cells(self, rows: ScoredRows) -> list[CellBytes]:
        """Return the cells column by column."""
        n_rows, first = len(rows.frame), int(rows.frame.index[0]) + 1
        is_scored = rows.statuses.is_scored
        statuses = [_quoted(name) for name in rows.statuses.names]
        of_scores = [self._predictions(rows.scores), *self._numbers(rows.scores)]
        if self.columns.has_sets:
            of_scores.append(self._sets(rows.scores))
        reasons = [spread(self._reasons(rows), is_scored)] if self.columns.has_reasons else []
        return [
            count_cells(first, n_rows),
            *(self._texts(rows.frame[name]) for name in self.columns.ids),
            *(spread(cells, is_scored) for cells in of_scores),
            text_cells(statuses, rows.statuses.codes),
            _repeated(_quoted(self.model_version), n_rows),
            *reasons,
            *(self._texts(rows.frame[name]) for name in self.columns.inputs),
        ]

    def _predictions(self, scores: Scores) -> CellBytes:
        if scores.probabilities is None:
            return number_cells(scores.predicted)
        return text_cells([self._cell(label) for label in self.columns.labels], scores.predicted)

    def _numbers(self, scores: Scores) -> Iterable[CellBytes]:
        if scores.probabilities is not None:
            return map(number_cells, scores.probabilities.T)
        nothing = _repeated("", len(scores.predicted))
        bounds = (scores.interval_low, scores.interval_high)
        return [nothing if bound is None else number_cells(bound) for bound in bounds]

    def _sets(self, scores: Scores) -> CellBytes:
        if scores.in_set is None:
            return _repeated("", len(scores.predicted))
        bits = np.ascontiguousarray(np.packbits(scores.in_set, axis=1))
        keys = bits.view(f"S{bits.shape[1]}").ravel()
        _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
        names = [quoted_name(label) for label in self.columns.labels]
        sets = (compress(names, members) for members in scores.in_set[first].tolist())
        return text_cells([self._cell(f"{SEPARATOR} ".join(members)) for members in sets], codes)

    def _reasons(self, rows: ScoredRows) -> CellBytes:
        if rows.reasons is None:
            return _repeated("", len(rows.scores.predicted))
        texts = self._cells_of(rows.reasons.texts())
        return text_cells(texts, np.arange(len(texts)))

    def _texts(self, column: pd.Series) -> CellBytes:
        # categories are texts as the reader cleaned them
        codes, values = distinct_values(column if is_text(column) else as_texts(column))
        return text_cells([*self._cells_of(values.tolist()), ""], codes)

    def _cells_of(self, texts: list[str]) -> list[str]:
        """Return texts as cells; most columns, such as ids, have nothing to quote, which one look shows."""
        joined = "\n".join(texts)
        has_signs = any(sign in joined for sign in _SIGNS)  # in long texts far faster than the expression
        if joined.count("\n") == len(texts) - 1 and not (has_signs and _NOT_PLAIN.search(joined)):
            return texts
        return list(map(self._cell, texts))

    def _cell(self, text: str) -> str:
        return _quoted(without_formula(text) if self.escapes_formulas else text)


def scored_table(rows: Iterable[ScoredRows], columns: PredictionColumns, model_version: str) -> ScoredTable:
    """Return the cells of a predictions file, without a file; formulas are not escaped."""
    stream = BytesIO()
    writer = PredictionsWriter(stream, columns, model_version, escapes_formulas=False)
    for some in rows:
        writer.write(some)
    lines = StringIO(stream.getvalue().decode(), newline="")
    return ScoredTable(columns, tuple(map(tuple, csv.reader(lines, strict=True))))


@contextmanager
def writing_predictions(target: Path) -> Iterator[Path]:
    """Provide a file for the text of the predictions, which become `target` when they are complete.

    They are compressed when the name of `target` says so: all at once, so that predictions that were written
    in other pieces are the same bytes. Those of an earlier run under the other name are removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, packed = (target.with_name(f"{target.name}.{ending}") for ending in ("partial", "packed"))
    try:
        yield partial
        if is_compressed(target):
            compress_file(partial, packed, _COMPRESSION_LEVEL)
            packed.replace(target)
        else:
            partial.replace(target)
        for name in {PREDICTIONS, COMPRESSED_PREDICTIONS} - {target.name}:
            target.with_name(name).unlink(missing_ok=True)
    finally:
        partial.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)


def header_line(columns: PredictionColumns) -> str:
    """Return the line with the names of the columns."""
    return ",".join(map(_quoted, columns.names)) + "\n"


def _repeated(text: str, n_rows: int) -> CellBytes:
    return text_cells([text], np.zeros(n_rows, np.intp))


def _quoted(text: str) -> str:
    """Return a cell as CSV writes it."""
    return text if _SPECIAL.isdisjoint(text) else '"' + text.replace('"', '""') + '"'
