"""The champion beside a candidate, on held-out rows that neither has seen; else by what is stored with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops.models.errors import ArtifactError, DatasetError, TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, EvaluationMetrics, MetricComparison
from mlops.pipelines.artifact_files import METRICS, ROW_KEYS
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.pipelines.artifacts.model import FeatureColumn, ModelSchema, Scores, align, with_made_features
from mlops.pipelines.artifacts.row_keys import RowKeys
from mlops.pipelines.evaluation.bootstrap import ScoreRows, bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.evaluation.scores import compute_scores
from mlops.pipelines.evaluation.shared_labels import SharedLabels, rewritten, share_labels
from mlops.pipelines.evaluation.stored_score import not_compared
from mlops.pipelines.evaluation.unseen import UnseenRows, find_unseen
from mlops.pipelines.features.task import Problem
from mlops.pipelines.features.training_rows import TrainingRows

_MAX_LISTED = 8


@dataclass(frozen=True, slots=True)
class Champion:
    """The model in service: its directory, and its version where that is known.

    `row_key` is the secret key of the group, by which its rows are recognised.
    """

    path: Path
    version: str | None = None
    row_key: bytes | None = None


def compare_with_champion(
    champion: Champion,
    rows: TrainingRows,
    candidate: JudgedRows,
    *,
    now: datetime,
    rng: np.random.Generator,
) -> ChampionComparison:
    """Score the champion on our held-out rows that it was not trained on.

    One that cannot be scored on them fails nothing: the comparison names the reason, and contains the scores
    that are stored with the champion.

    Parameters
    ----------
    champion
        Its directory is loaded with the same distrust as for scoring.
    rows, candidate
        Those of the candidate's training, and what it says of those held out.
    now, rng
        The time of the training, for the age of the champion, and the source of the bootstrap draws.
    """
    facts = _stored_facts(champion, rows, now)
    try:
        theirs = _ask(champion, rows)
    except (ArtifactError, DatasetError, TrainingError) as error:
        return replace(facts, reason=str(error))
    unseen = theirs.unseen.mask
    ours, scores = theirs.in_shared_labels(candidate.take(unseen)), theirs.scores.take(unseen)
    comparison = compare(ours, scores, rng=rng, champion_version=champion.version)
    return replace(
        comparison,
        other_features=_other_features(theirs.schema, rows.selection.features),
        n_known=int((~unseen).sum()),
        champion_age_days=facts.champion_age_days,
        looked_at=theirs.unseen.looked_at,
    )


def _stored_facts(champion: Champion, rows: TrainingRows, now: datetime) -> ChampionComparison:
    """Return what is known of a champion without loading its model: its scores and its age."""
    try:
        manifest = artifacts.read_manifest(champion.path)
        metrics = _stored_metrics(champion.path, manifest)
    except ArtifactError:
        return ChampionComparison(champion.version)
    is_same_file = manifest.dataset_digest == rows.table.sha256
    age_days = None if is_same_file else (now - manifest.created_at).total_seconds() / 86_400
    return replace(not_compared(champion.version, metrics), champion_age_days=age_days)


def _stored_metrics(directory: Path, manifest: artifacts.Manifest) -> EvaluationMetrics:
    """Read the scores of a model on its own held-out rows, without loading the model."""
    path = directory / METRICS
    if not path.is_file() or manifest.files.get(METRICS) != sha256_of(path):
        raise ArtifactError(f"{path.name} is missing, or is not the file that was saved.")
    try:
        return EvaluationMetrics.from_json(path.read_bytes())
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path.name} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Answer:
    """The champion's scores of our held-out rows, over the shared labels, and which it had not seen.

    `shared` is None for a regression.
    """

    schema: ModelSchema
    scores: Scores
    unseen: UnseenRows
    shared: SharedLabels | None

    def in_shared_labels(self, candidate: JudgedRows) -> JudgedRows:
        """Return what the candidate says in the labels of the comparison."""
        if self.shared is None:
            return candidate
        places, n_labels = self.shared.ours, len(self.shared.labels)
        scores = rewritten(candidate.scores, places, n_labels)
        return replace(candidate, y=places[candidate.y], scores=scores)


def _ask(champion: Champion, rows: TrainingRows) -> _Answer:
    """Let the champion score our held-out rows.

    Raises
    ------
    ArtifactError, DatasetError, TrainingError
        If the two cannot be compared; the sentence says why.
    """
    model, manifest = artifacts.load_model(champion.path)
    shared = _shared_labels(model.schema, rows.problem)
    held_out = with_made_features(rows.table.frame[rows.split.test], model.schema)
    aligned, _ = align(held_out, model.schema.features)
    unseen = _unseen_rows(champion, manifest, rows, aligned)
    scores = model.score_aligned(aligned)
    if shared is not None:
        scores = rewritten(scores, shared.theirs, len(shared.labels))
    return _Answer(model.schema, scores, unseen, shared)


def _unseen_rows(
    champion: Champion, manifest: artifacts.Manifest, rows: TrainingRows, aligned: pd.DataFrame
) -> UnseenRows:
    """Return which held-out rows the champion was not trained on, by the keys that are stored with it.

    Raises
    ------
    ArtifactError, TrainingError
        If that cannot be said.
    """
    if ROW_KEYS not in manifest.files:
        return _unseen_by_an_older_model(manifest, rows)
    if champion.row_key is None:
        raise TrainingError("the key of the group is absent, without which its rows are not recognised.")
    stored = RowKeys.load(champion.path / ROW_KEYS)
    cut = stored.recipe.time_cut
    time = rows.table.columns.get(cut.column) if cut else None
    return find_unseen(
        stored,
        champion.row_key,
        rows.table.frame,
        aligned,
        rows.split.test,
        date_format=time.date_format if time else None,
    )


def _unseen_by_an_older_model(manifest: artifacts.Manifest, rows: TrainingRows) -> UnseenRows:
    """Take all held-out rows where the champion had the same ones: same file, same settings of the split.

    Raises
    ------
    TrainingError
        If that is not so.
    """
    is_same_file = bool(rows.table.sha256) and manifest.dataset_digest == rows.table.sha256
    if is_same_file and _split_settings(manifest.settings) == _split_settings(rows.settings):
        return UnseenRows(np.ones(int(rows.split.test.sum()), dtype=bool))
    raise TrainingError(
        "it was trained before release 0.3, which does not say on which rows; the next champion will."
    )


def _split_settings(settings: GroupSettings) -> tuple[Any, ...]:
    """Return the settings on which it depends how a file is read and divided."""
    return (
        settings.target,
        settings.id_columns,
        settings.group_columns,
        settings.time_column,
        settings.split,
        settings.test_fraction,
        settings.columns,
        settings.format,
        settings.classes.min_rows,
        settings.classes.rare,
    )


def _other_features(champion: ModelSchema, ours: tuple[FeatureColumn, ...]) -> str | None:
    """Say which features only one of the two uses, and which are of another kind."""
    theirs, mine = ({column.name: column.kind for column in side} for side in (champion.features, ours))
    parts = [
        ("it does not use", [name for name in mine if name not in theirs]),
        ("it uses in addition", [name for name in theirs if name not in mine]),
        ("of another kind are", [name for name in theirs if mine.get(name, theirs[name]) != theirs[name]]),
    ]
    sentences = [f"{words} {_listed(names)}" for words, names in parts if names]
    return f"The champion's features differ: {'; '.join(sentences)}." if sentences else None


def _listed(names: list[str]) -> str:
    more = len(names) - _MAX_LISTED
    return ", ".join(names[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _shared_labels(champion: ModelSchema, problem: Problem) -> SharedLabels | None:
    """Return the labels in which the two models are compared; None where they predict numbers.

    Raises
    ------
    TrainingError
        If they predict different things.
    """
    if champion.target != problem.target:
        raise TrainingError(f"it predicts {champion.target!r}, the candidate {problem.target!r}.")
    if champion.task != problem.task:
        raise TrainingError(
            f"it was trained for a {champion.task} task, the candidate for a {problem.task} one."
        )
    if problem.task == "regression":
        return None
    shared = share_labels(problem, champion)
    if shared is None:
        theirs, ours = ", ".join(champion.labels), ", ".join(problem.labels)
        raise TrainingError(f"its classes are {theirs}, those here {ours}.")
    return shared


def compare(
    candidate: JudgedRows,
    champion: Scores,
    *,
    rng: np.random.Generator,
    champion_version: str | None = None,
) -> ChampionComparison:
    """Compare two models on the same rows; the intervals are those of the paired differences."""
    task, y = candidate.task, candidate.y

    def differences_among(rows: np.ndarray) -> ScoreRows:
        of_candidate = resampled_scores(task, y[rows], candidate.scores.take(rows))
        of_champion = resampled_scores(task, y[rows], champion.take(rows))

        def differences(drawn: np.ndarray) -> dict[str, float]:
            one, other = of_candidate(drawn), of_champion(drawn)
            return {name: one[name] - other[name] for name in one if name in other}

        return differences

    ours, theirs = compute_scores(task, y, candidate.scores), compute_scores(task, y, champion)
    intervals = bootstrap_intervals(differences_among, candidate.members, rng)
    return ChampionComparison(
        champion_version=champion_version,
        comparable=True,
        n_rows=len(y),
        metrics={
            name: MetricComparison(ours[name], theirs[name], ours[name] - theirs[name], interval)
            for name, interval in intervals.items()
        },
    )
