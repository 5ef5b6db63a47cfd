"""Requests to the approvers with their answers, and the policy of a group, which says who decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from mlops.models.concern import Concern
from mlops.models.evaluation import SliceScore
from mlops.models.objects import Artifact
from mlops.models.record import Record
from mlops.models.settings.differences import SettingDifference
from mlops.models.settings.gate import GateRule
from mlops.models.settings.retrain import RetrainingPolicy
from mlops.models.training import DatasetChanges, Interval

Choice = Literal["approved", "rejected"]
Outcome = Literal["approved", "rejected", "superseded"]
Way = Literal["link", "command line"]


class RequestStatus(StrEnum):
    """Where a request is; all but the first and `ABANDONED` are final.

    An abandoned one was answered when no execution waited any more; people are still to be notified.
    """

    PENDING = "Pending"
    DECIDED = "Decided"
    ABANDONED = "Abandoned"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"


@dataclass(frozen=True, slots=True)
class ScoreEvidence(Record):
    """One score of the candidate beside the champion's on the same rows, and beside a dummy model's.

    `difference` is candidate - champion, above 0 = better; the intervals are 95 % bootstrap intervals.
    """

    name: str
    candidate: float
    interval: Interval | None = None
    champion: float | None = None
    difference: float | None = None
    difference_interval: Interval | None = None
    dummy: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """What approvers are shown, as it was when the request was made; a new kind of evidence gets a new field.

    `evidence_uri` is the folder with the model card and the plots. Costs are in US dollars. `policy` are the
    rules of the approval as sentences. `settings_changes` are the settings that differ from the champion's,
    or from the defaults when there is no champion. `slice_note` compares the worst slice that the settings
    name with all held-out rows. `concerns` are what an approver weighs first, the worst first; they are
    not repeated in `findings` and `warnings`.
    """

    algorithm: str
    task: str | None
    target: str | None
    dataset_version: str
    n_rows: int | None
    n_features: int
    primary: str | None
    champion_version: str | None = None
    comparison_note: str | None = None
    scores: tuple[ScoreEvidence, ...] = ()
    gate_reasons: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    billable_seconds: int | None = None
    positive_label: str | None = None
    changes: DatasetChanges | None = None
    worst_slices: tuple[SliceScore, ...] = ()
    uploader: str | None = None
    estimated_cost_usd: float | None = None
    actual_cost_usd: float | None = None
    evidence_uri: str | None = None
    plots: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    settings_changes: tuple[SettingDifference, ...] = ()
    slice_note: str | None = None
    concerns: tuple[Concern, ...] = ()

    @property
    def deciding_score(self) -> ScoreEvidence | None:
        """The score that decides; None of a candidate without one."""
        return next((score for score in self.scores if score.name == self.primary), None)

    @property
    def warning(self) -> Concern | None:
        """The worst point that speaks against the candidate; None when none does."""
        return next((concern for concern in self.concerns if concern.is_warning), None)


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """One approver's answer, and the way it came in; `approver` is an address or an AWS identity."""

    approver: str
    choice: Choice
    reason: str
    at: datetime
    way: Way = "link"


@dataclass(frozen=True, slots=True)
class ApprovalDecision(Record):
    """How a request ended; this document is what the waiting execution receives."""

    decision: Outcome
    decided_by: str
    reason: str
    decided_at: datetime
    approval_id_hash: str


@dataclass(frozen=True, slots=True)
class ApprovalRequest(Record):
    """One request for approval of one version, bound to the bytes of its artifact.

    `id_hash` is the SHA-256 of the random id that only the links carry. `sealed` holds that id and the task
    token, encrypted. `revision` counts the changes. `is_delivered`: the decision was sent to the execution.
    `is_carried_out`: the version has left this stage as decided, or cannot any more.
    `asked_at` is when the time limit that runs began (None = when it was created); `reminders_sent` counts
    from then. `is_restricted`: the policy of the group names the approvers, so no one else approves.
    """

    KIND: ClassVar[str] = "approval"

    id_hash: str
    group: str
    version: str
    artifact: Artifact
    execution_arn: str
    approvers: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    evidence: Evidence
    sealed: str
    required_approvals: int = 1
    status: RequestStatus = RequestStatus.PENDING
    answers: tuple[Answer, ...] = ()
    decision: ApprovalDecision | None = None
    is_delivered: bool = False
    revision: int = 1
    asked_at: datetime | None = None
    reminders_sent: int = 0
    is_restricted: bool = False
    is_carried_out: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something is left to do: decide, notify the execution, or carry the decision out."""
        match self.status:
            case RequestStatus.PENDING | RequestStatus.ABANDONED:
                return True
            case RequestStatus.DECIDED:
                return not self.is_carried_out
            case _:
                return self.status is RequestStatus.SUPERSEDED and not self.is_delivered

    @property
    def is_over(self) -> bool:
        """Whether no answer is awaited any more, and none came in time."""
        return self.status in (RequestStatus.EXPIRED, RequestStatus.ABANDONED)

    @property
    def bound_to(self) -> tuple[str, ...]:
        """What a link is good for: these bytes, and the execution that waits."""
        return self.artifact.sha256, self.artifact.version_id or "", self.execution_arn


@dataclass(frozen=True, slots=True)
class RollbackDecision(Record):
    """Who put the previous champion back, and why."""

    decided_by: str
    reason: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class RollbackOffer(Record):
    """The way back from champion `version` to `previous`, open to each approver through a personal link.

    `artifact` is that of `previous`. `is_carried_out`: a decision was carried out and announced, or turned
    out to be impossible; `outcome` says which.
    """

    KIND: ClassVar[str] = "rollback"

    id_hash: str
    group: str
    version: str
    previous: str
    artifact: Artifact
    approvers: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    decision: RollbackDecision | None = None
    is_carried_out: bool = False
    outcome: str = ""
    revision: int = 1

    @property
    def is_open(self) -> bool:
        """Whether a decision still has to be carried out."""
        return self.decision is not None and not self.is_carried_out

    @property
    def bound_to(self) -> tuple[str, ...]:
        """What a link is good for: these bytes, going into service again."""
        return self.artifact.sha256, self.artifact.version_id or "", self.previous


@dataclass(frozen=True, slots=True)
class PolicyRecord(Record):
    """One revision of the policy of a group; revision 0 is the default of a group without a record.

    Without `approvers` every approver of the stack may approve. `automatic` permits automatic approval, which
    `model.toml` must request as well. `gate_floors` hold, by score, the values below which no gate rule may
    be; they are judged in addition to the rules. `retraining` is the most that `[retrain] policy` may
    do. `max_trainings_per_day` (by UTC) and `max_trials` of a search limit what a group costs; 0 is no
    limit. `changed_at`, `changed_by` and `reason` say when, by whom and why this revision was made.
    """

    group: str
    approvers: tuple[str, ...] = ()
    required_approvals: int = 1
    automatic: bool = False
    gate_floors: Mapping[str, GateRule] = field(default_factory=dict)
    retraining: RetrainingPolicy = "propose"
    max_trainings_per_day: int = 0
    max_trials: int = 0
    revision: int = 0
    changed_at: datetime | None = None
    changed_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StackPolicy:
    """What the parameters of the stack say for all groups: they bound every policy record."""

    approvers: tuple[str, ...]
    allows_automatic: bool = False
    minimum_approvals: int = 1
