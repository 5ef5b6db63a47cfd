"""Realised quality: scores of predictions whose outcome is known, beside the score that was approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from mlops.models.evaluation import CalibrationBin
from mlops.models.record import Record
from mlops.models.settings.group import TaskName
from mlops.models.training import Interval

QualityVerdict = Literal["OK", "DROPPED", "INSUFFICIENT_DATA"]
# of these periods the last one that could be judged counts: the newest may have too few labels
N_NEWEST = 2
PartKind = Literal["overall", "period", "segment", "delay", "version", "young", "recent"]


@dataclass(frozen=True, slots=True)
class QualityScore(Record):
    """A score of scikit-learn's name and direction; `interval` is of 95 %, None without one.

    `n_clusters` is the number of groups of ids that the interval comes from, None where every row has an id
    of its own.
    """

    value: float
    interval: Interval | None = None
    n_clusters: int | None = None


@dataclass(frozen=True, slots=True)
class QualityPart(Record):
    """The quality of some labelled predictions.

    `approved` is the score on held-out rows that they are compared with. `q_value` is how likely such a score
    would be by chance at least once a year, after the correction for the number of comparisons; it and
    `verdict` are None where nothing is compared. `calibration_error` is the expected calibration error (0.0 =
    never off).
    """

    kind: PartKind
    name: str
    n_labels: int
    n_predictions: int
    scores: Mapping[str, QualityScore] = field(default_factory=dict)
    calibration_error: float | None = None
    approved: QualityScore | None = None
    q_value: float | None = None
    verdict: QualityVerdict | None = None


@dataclass(frozen=True, slots=True)
class QualityEstimate(Record):
    """What the scores of a period are expected to be, without its labels.

    `scores` come from the probabilities or intervals of its predictions; that of `metric` is one of them.
    `realised` is what this score has reached there, None before the labels of the period are there.
    """

    name: str
    n_predictions: int
    metric: str
    scores: Mapping[str, QualityScore]
    realised: QualityScore | None = None

    @property
    def score(self) -> QualityScore:
        """The score that is compared with what is realised."""
        return self.scores[self.metric]

    @property
    def error(self) -> float | None:
        """Estimate minus realised score; None before the labels are there."""
        return self.score.value - self.realised.value if self.realised else None


@dataclass(frozen=True, slots=True)
class LabelCounts(Record):
    """How the labels of a group were matched with predictions.

    `n_waiting` labels have no prediction yet. `n_conflicts` predictions got labels that differ, of which the
    last one counts. `n_repeated` labels have an id that was scored several times.
    """

    n_labels: int = 0
    n_matched: int = 0
    n_waiting: int = 0
    n_conflicts: int = 0
    n_repeated: int = 0


@dataclass(frozen=True, slots=True)
class QualityReport(Record):
    """The realised quality of a group's champion on one day.

    `metric` is the score that is judged. `verdict` is `DROPPED` when all judged predictions together, the
    newest judged period, the newest 2, 4, 8, ... periods together (`recent`) or a segment is below its
    approved score. `young` are the predictions of days for
    which labels still come, `delays` the judged ones by the days between prediction and label, `versions` all
    labelled ones of the other versions that scored in the window. `estimates` are by period, the newest last,
    and have no part in the verdict. `settings_not_followed` are sentences on settings looser than approved.
    """

    model_group: str
    model_version: str
    measured_on: date
    created_at: datetime
    task: TaskName
    metric: str
    verdict: QualityVerdict
    overall: QualityPart
    counts: LabelCounts
    window_days: int
    min_labels: int
    label_delay_days: int | None = None
    periods: tuple[QualityPart, ...] = ()
    segments: tuple[QualityPart, ...] = ()
    delays: tuple[QualityPart, ...] = ()
    versions: tuple[QualityPart, ...] = ()
    young: QualityPart | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    estimates: tuple[QualityEstimate, ...] = ()
    recent: tuple[QualityPart, ...] = ()
    settings_not_followed: tuple[str, ...] = ()

    @property
    def dropped(self) -> tuple[QualityPart, ...]:
        """The parts whose score is below the approved one by more than chance."""
        judged = [part for part in self.periods[-N_NEWEST:] if part.verdict in ("OK", "DROPPED")]
        parts = (self.overall, *judged[-1:], *self.recent, *self.segments)
        return tuple(part for part in parts if part.verdict == "DROPPED")

    @property
    def newest_estimate(self) -> QualityEstimate | None:
        """That of the newest period with at least `min_labels` predictions; None without one."""
        enough = [estimate for estimate in self.estimates if estimate.n_predictions >= self.min_labels]
        return enough[-1] if enough else None


def last_day_of(period: str) -> str:
    """Return the last day of a period by its name: `2026-02-01 to 2026-02-05` ends on `2026-02-05`."""
    return period.rpartition(" to ")[2]
