"""The one way in which rows are scored: rows that a model can use get a prediction, all others a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.validation.pieces import MarkedRows
from mlops.models.dataset import Contract
from mlops.pipelines.artifacts.model import Model, Scores, align
from mlops.pipelines.scoring.reasons import Explainer, Reasons
from mlops.pipelines.scoring.row_status import RowStatuses, required_columns, row_statuses

type _Marks = Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Rows as they were read, the status of each, and the scores of those that are scored, in their order.

    `reasons` are those of the scored rows, None where they are not requested.
    """

    frame: pd.DataFrame
    statuses: RowStatuses
    scores: Scores
    unreadable: _Marks
    unknown_levels: Mapping[str, int]
    reasons: Reasons | None = None


def score_pieces(
    pieces: Iterable[MarkedRows], model: Model, contract: Contract, explainer: Explainer | None
) -> Iterator[ScoredRows]:
    """Score rows piece by piece, each as `score_rows` does."""
    return (score_rows(piece, model, contract, explainer=explainer) for piece in pieces)


def score_rows(
    rows: MarkedRows, model: Model, contract: Contract, *, explainer: Explainer | None = None
) -> ScoredRows:
    """Score the rows that the model can use.

    Parameters
    ----------
    rows
        Rows as they were read, with the parts of dates.
    contract
        What is stated of the columns: a value that must not be missing.
    explainer
        What gives the reasons of the rows; without it there are none.

    Raises
    ------
    DatasetError
        If a feature column is not there at all.
    """
    schema = model.schema
    aligned, notes = align(rows.frame, schema.features)
    unreadable = _either(notes.unreadable, rows.unreadable)
    statuses = row_statuses(rows.frame, unreadable, schema, required_columns(contract, schema))
    is_scored = statuses.is_scored
    usable = aligned if is_scored.all() else aligned[is_scored]
    scores = _score(model, usable)
    reasons = explainer.explain(usable, scores) if explainer and len(usable) else None
    return ScoredRows(rows.frame, statuses, scores, unreadable, notes.unknown_levels, reasons)


def _either(first: _Marks, second: _Marks) -> _Marks:
    both = {name: first[name] | second[name] for name in first if name in second}
    return {**first, **second, **both}


def _score(model: Model, aligned: pd.DataFrame) -> Scores:
    if len(aligned):
        return model.score_aligned(aligned)
    labels = model.schema.labels
    return Scores(np.empty(0, np.int64), np.empty((0, len(labels))) if labels else None)
