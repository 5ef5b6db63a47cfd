"""How a model does on rows later than those that it learned from, where the split does not follow time."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np

from mlops.dataset.features.date_parts import unreadable_dates
from mlops.dataset.table.dates import read_dates
from mlops.dataset.table.table import Column
from mlops.models.concern import Concern
from mlops.models.errors import TrainingError
from mlops.models.metrics import describe_metric
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.evaluation.scores import primary_score
from mlops.pipelines.features.splitting import split_rows
from mlops.pipelines.features.training_rows import TrainingRows
from mlops.pipelines.fitting.choosing import FittedModel, with_fixed_rounds
from mlops.pipelines.fitting.out_of_fold import HeldOutFold, Sample

MIN_DAYS = 10
MAX_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class _LaterScore:
    """The primary score on the later rows of a model of the earlier ones."""

    score: float
    n_earlier: int
    n_later: int
    n_rows: int


def judge_later_rows(
    rows: TrainingRows, fitted: FittedModel, metrics: EvaluationMetrics
) -> tuple[Concern, ...]:
    """Say how a model does on later rows, where the table has dates and no `time_column` is set.

    Algorithm and hyperparameters are those of the fitted model. They are fitted to the earlier of at most
    20,000 rows and judged on the later ones: one further fit. The date is that of the most different values,
    on at least 10 different days.
    """
    primary = metrics.primary or ""
    score = metrics.values().get(primary)
    name = None if rows.settings.time_column else _date_of_most_values(rows)
    if name is None or score is None:
        return ()
    message = (
        f"The rows held out are a random part, though {name} holds dates: {describe_metric(primary, score)} "
        f"on them. {_describe(_score_later_rows(rows, fitted, name), primary)} If {name} says when a row was "
        "recorded, and later rows are to be predicted, hold out the later ones: "
        f"time_column = {json.dumps(name, ensure_ascii=False)} in model.toml, above the first [table]."
    )
    clause = "it was not judged on later rows, though the file has dates"
    return (Concern("dates, but a random split", clause, message, column=name),)


def _describe(later: _LaterScore | None, primary: str) -> str:
    if later is None:
        return "The later rows alone define no score."
    part = f", of {MAX_ROWS:,} of {later.n_rows:,} rows" if later.n_rows > MAX_ROWS else ""
    return (
        f"A model of the same settings that learned from the {later.n_earlier:,} earlier rows has "
        f"{describe_metric(primary, later.score)} on the {later.n_later:,} later ones{part}."
    )


def _date_of_most_values(rows: TrainingRows) -> str | None:
    """Return the column of dates with the most different values, None where none is on enough days."""
    dates = [column for column in rows.table.columns.values() if _is_date(column)]
    n_values = {date.name: rows.table[date.name].nunique() for date in dates if _orders_rows(rows, date)}
    return max(n_values, key=lambda name: n_values[name], default=None)


def _is_date(column: Column) -> bool:
    return column.kind == "date" and column.role in ("feature", "excluded")


def _orders_rows(rows: TrainingRows, column: Column) -> bool:
    cells = rows.table[column.name]
    if unreadable_dates(cells, column.date_format, of_all=True):
        return False
    days = read_dates(cells, column.date_format).dt.normalize()
    return int(days.nunique()) >= MIN_DAYS


def _score_later_rows(rows: TrainingRows, fitted: FittedModel, name: str) -> _LaterScore | None:
    """Return None where the later rows define no score, or the earlier ones cannot be learned from."""
    problem, settings = rows.problem, rows.settings
    n_rows = len(rows.table)
    some = np.random.default_rng(settings.seed).permutation(n_rows) < MAX_ROWS
    try:
        split = split_rows(rows.table.rows(some), replace(settings, time_column=name))
        sample = Sample(
            rows.aligned[some],
            problem.y[some],
            split.folds,
            rows.selection.features,
            problem.task,
            len(problem.labels),
            seed=settings.seed,
        )
        fold = HeldOutFold(sample, split.train, split.test)
        judged = sample.joined([fold.predict(with_fixed_rounds(fitted.settings, fitted.n_rounds))])
    except TrainingError:  # a training must not fail for a note
        return None
    score = primary_score(problem.task, judged.y, judged.scores)
    n_earlier, n_later = int(split.train.sum()), len(judged.y)
    return None if score is None else _LaterScore(score, n_earlier, n_later, n_rows)
