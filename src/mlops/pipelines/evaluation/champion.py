"""The champion beside a candidate: on the same held-out rows, and by the rows that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlops.models.drift import DriftReport
from mlops.models.errors import ArtifactError, DatasetError, DriftError, TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, DatasetChanges, FeatureShift, MetricComparison
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.report.report_text import unattached_anomalies
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import FeatureColumn, ModelSchema, Scores, part_names, with_date_parts
from mlops.pipelines.evaluation.bootstrap import ScoreRows, bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.scores import compute_scores
from mlops.pipelines.features.splitting import split_rows
from mlops.pipelines.features.task import Problem
from mlops.pipelines.features.training_rows import TrainingRows

MIN_COMPARED_ROWS = 30
_MAX_LISTED = 8
MAX_SENTENCES = 12
MAX_SHIFTS = 12


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
    comparison = compare(
        rows.problem,
        rows.problem.y[held_out][unseen],
        scores.take(unseen),
        theirs.scores.take(unseen),
        members=rows.split.members[held_out][unseen],
        rng=rng,
        champion_version=champion.version,
    )
    return replace(comparison, other_features=_other_features(theirs.schema, rows.selection.features))


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
    scores, _ = model.score(with_date_parts(rows.table.frame[rows.split.test], model.schema.date_parts))
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
    sentences = [f"{words} {_listed(names)}" for words, names in parts if names]
    return f"The champion's features differ: {'; '.join(sentences)}." if sentences else None


def _listed(names: list[str]) -> str:
    more = len(names) - _MAX_LISTED
    return ", ".join(names[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _unseen(rows: TrainingRows, schema: ModelSchema, settings: GroupSettings) -> np.ndarray:
    """Tell of each held-out row whether the champion's split had held it out, too.

    Where content names a row, it is what the champion's file had of it: a new column must not make every row
    a new one.
    """
    columns = {schema.target, *schema.feature_names, *schema.ignored_columns}
    columns -= set(part_names(schema.date_parts))
    by_content = not (settings.group_columns or settings.id_columns)
    if by_content and (absent := sorted(columns - set(rows.table.names))):
        raise DatasetError(
            f"this file lacks {', '.join(absent)}, without which it is not known on which of the held-out "
            "rows it was trained."
        )
    content = rows.table.select([name for name in rows.table.names if name in columns], target=schema.target)
    held_out: np.ndarray = split_rows(content, settings).test[rows.split.test]
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


def compare(
    problem: Problem,
    y_test: np.ndarray,
    candidate: Scores,
    champion: Scores,
    *,
    members: np.ndarray,
    rng: np.random.Generator,
    champion_version: str | None = None,
) -> ChampionComparison:
    """Compare two models on the same rows; the intervals are those of the paired differences."""
    task = problem.task

    def differences_among(rows: np.ndarray) -> ScoreRows:
        of_candidate = resampled_scores(task, y_test[rows], candidate.take(rows))
        of_champion = resampled_scores(task, y_test[rows], champion.take(rows))

        def differences(drawn: np.ndarray) -> dict[str, float]:
            one, other = of_candidate(drawn), of_champion(drawn)
            return {name: one[name] - other[name] for name in one if name in other}

        return differences

    ours = compute_scores(task, y_test, candidate)
    theirs = compute_scores(task, y_test, champion)
    intervals = bootstrap_intervals(differences_among, members, rng)
    return ChampionComparison(
        champion_version=champion_version,
        comparable=True,
        n_rows=len(y_test),
        metrics={
            name: MetricComparison(ours[name], theirs[name], ours[name] - theirs[name], interval)
            for name, interval in intervals.items()
        },
    )


def dataset_changes(rows: TrainingRows, champion: Champion) -> DatasetChanges | None:
    """Compare the rows trained on with those that the champion was trained on; None without its baseline.

    A column that was a feature of the champion and is absent now, or the other way round, is a change too.
    """
    try:
        baseline = load_baseline_statistics(champion.path / artifacts.BASELINE)
        drift = rows.settings.drift
        detector = DriftDetector(
            baseline,
            drift.threshold,
            alert_threshold=drift.alert_threshold,
            exclude_columns=drift.exclude_columns,
        )
        report = detector.detect_drift(rows.table.frame[rows.split.train])
    except DriftError:
        return None
    return DatasetChanges(
        model_version=champion.version,
        n_rows_before=baseline.n_rows,
        n_rows_after=report.n_rows,
        verdict=report.verdict,
        drift_score=report.drift_score,
        sentences=tuple(_sentences(report))[:MAX_SENTENCES],
        shifts=_shifts(report),
    )


def _shifts(report: DriftReport) -> tuple[FeatureShift, ...]:
    found = [FeatureShift(feature.name, feature.psi, feature.verdict) for feature in report.features.values()]
    return tuple(sorted(found, key=lambda shift: (-shift.psi, shift.column))[:MAX_SHIFTS])


def _sentences(report: DriftReport) -> Iterator[str]:
    yield from (report.features[name].description for name in report.features_with_drift)
    yield from (anomaly.message for anomaly in unattached_anomalies(report))
