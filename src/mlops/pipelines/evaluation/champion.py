"""The champion on the candidate's held-out rows: whether it can be compared at all, and how it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlops.models.errors import ArtifactError, DatasetError, TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.evaluation import compare
from mlops.pipelines.features.date_parts import part_names, with_date_parts
from mlops.pipelines.features.schema import FeatureColumn, ModelSchema
from mlops.pipelines.features.splitting import require_columns, split_rows
from mlops.pipelines.features.task import Problem
from mlops.pipelines.features.training_rows import TrainingRows

MIN_COMPARED_ROWS = 30
_MAX_LISTED = 8


@dataclass(frozen=True, slots=True)
class Champion:
    """The model in service: its directory, and its version where that is known."""

    path: Path
    version: str | None = None


def compare_with_champion(
    champion: Champion, rows: TrainingRows, scores: Scores, *, rng: np.random.Generator
) -> ChampionComparison:
    """Score the champion on our held-out rows; one that cannot be scored fails nothing, but is named.

    Rows that the champion's own settings had put on its training side are left out.

    Parameters
    ----------
    champion
        Its directory is loaded with the same distrust as for scoring.
    rows
        Those of the candidate's training.
    scores
        What the candidate says of its held-out rows.
    rng
        Source of the bootstrap draws.
    """
    try:
        theirs = _ask(champion, rows)
    except (ArtifactError, DatasetError, TrainingError) as error:
        return ChampionComparison(champion.version, reason=str(error))
    held_out, unseen = rows.split.test, theirs.unseen
    found = compare(
        rows.problem,
        rows.problem.y[held_out][unseen],
        scores.take(unseen),
        theirs.scores.take(unseen),
        members=rows.split.members[held_out][unseen],
        rng=rng,
        champion_version=champion.version,
    )
    return replace(found, other_features=_other_features(theirs.schema, rows.selection.features))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the champion says of our held-out rows, in the order of our labels, and which it had not seen."""

    schema: ModelSchema
    scores: Scores
    unseen: np.ndarray


def _ask(champion: Champion, rows: TrainingRows) -> _Answer:
    """Let the champion score our held-out rows.

    Raises
    ------
    ArtifactError, DatasetError, TrainingError
        If the two cannot be compared; the sentence says why.
    """
    model, manifest = artifacts.load_model(champion.path)
    if reason := _why_not_comparable(model.schema, rows.problem):
        raise TrainingError(reason)
    scores, _ = model.score(with_date_parts(rows.frame[rows.split.test], model.schema.date_parts))
    unseen = _unseen(rows, model.schema, manifest.settings)
    if unseen.sum() < MIN_COMPARED_ROWS:
        raise TrainingError(
            f"it may have been trained on {int((~unseen).sum())} of the {len(unseen)} held-out rows; "
            "id_columns or group_columns that stay the same keep every row on its side."
        )
    return _Answer(model.schema, _in_order_of(rows.problem.labels, scores, model.schema), unseen)


def _other_features(champion: ModelSchema, ours: tuple[FeatureColumn, ...]) -> str | None:
    """Say which features only one of the two uses, and which are of another kind."""
    theirs, mine = ({column.name: column.kind for column in side} for side in (champion.features, ours))
    parts = [
        ("it does not use", [name for name in mine if name not in theirs]),
        ("it uses in addition", [name for name in theirs if name not in mine]),
        ("of another kind are", [name for name in theirs if mine.get(name, theirs[name]) != theirs[name]]),
    ]
    said = [f"{words} {_listed(names)}" for words, names in parts if names]
    return f"The champion's features differ: {'; '.join(said)}." if said else None


def _listed(names: list[str]) -> str:
    more = len(names) - _MAX_LISTED
    return ", ".join(names[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _unseen(rows: TrainingRows, schema: ModelSchema, settings: GroupSettings) -> np.ndarray:
    """Tell of each held-out row whether the champion's split had held it out, too.

    Where content names a row, it is what the champion's file had of it: a new column must not make every row
    a new one.
    """
    known = {schema.target, *schema.feature_names, *schema.ignored_columns}
    known -= set(part_names(schema.date_parts))
    by_content = not (settings.group_columns or settings.id_columns)
    if by_content and (gone := sorted(known - set(rows.frame.columns))):
        raise DatasetError(
            f"this file lacks {', '.join(gone)}, without which nobody can tell on which of the held-out rows "
            "it was trained."
        )
    content = rows.frame[[name for name in rows.frame.columns if name in known]]
    require_columns(content, settings)
    held_out: np.ndarray = split_rows(content, schema.target, settings).test[rows.split.test]
    return held_out


def _why_not_comparable(champion: ModelSchema, problem: Problem) -> str | None:
    if champion.target != problem.target:
        return f"it predicts {champion.target!r}, the candidate {problem.target!r}."
    if champion.task != problem.task:
        return f"it was trained for a {champion.task} task, the candidate for a {problem.task} one."
    if not set(champion.labels) <= set(problem.labels) or (
        problem.task == "binary" and champion.labels != problem.labels
    ):
        return f"its classes are {', '.join(champion.labels)}, those here {', '.join(problem.labels)}."
    return None


def _in_order_of(labels: tuple[str, ...], scores: Scores, schema: ModelSchema) -> Scores:
    """Rewrite the champion's label positions as positions in our labels."""
    if scores.probabilities is None:
        return scores
    places = np.array([labels.index(label) for label in schema.labels])
    probabilities = np.zeros((len(scores.predicted), len(labels)))
    probabilities[:, places] = scores.probabilities
    return Scores(places[scores.predicted], probabilities)
