"""Records of model versions, and the entries of their audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from mlops.models.concern import Concern
from mlops.models.objects import Artifact
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.training import ChampionComparison, DatasetChanges, EvaluationMetrics, GateResult


class Status(StrEnum):
    """Where a version is in its life; `registry/lifecycle.py` says which steps are allowed."""

    REGISTERED = "Registered"
    PENDING_APPROVAL = "PendingApproval"
    APPROVED = "Approved"
    CHAMPION = "Champion"
    ARCHIVED = "Archived"
    REJECTED_BY_GATE = "RejectedByGate"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"


UNDECIDED = (Status.REGISTERED, Status.PENDING_APPROVAL)
WAITING = (*UNDECIDED, Status.APPROVED)  # may still become the champion


@dataclass(frozen=True, slots=True)
class Source(Record):
    """The training code that made the model, by digest."""

    digest: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingJob(Record):
    """The SageMaker job that made the model; costs are in US dollars, None where the price is unknown.

    `estimated_cost_usd` was said before the job started, `actual_cost_usd` follows from `billable_seconds`.
    Both include the trials of a tuning job: `n_trial_jobs` and what was billed for them are None without one.
    """

    name: str
    arn: str
    image_uri: str | None = None
    instance_type: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    billable_seconds: int | None = None
    estimated_cost_usd: float | None = None
    actual_cost_usd: float | None = None
    n_trial_jobs: int | None = None
    trials_billable_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class DataFindings(Record):
    """What intake said about the training file; `findings` are short JSON documents.

    `changes` compares it with what the champion was trained on. `uploader` is who dropped it, if
    recorded.
    """

    verdict: str = "accept"
    n_rows: int | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    changes: DatasetChanges | None = None
    uploader: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate(Record):
    """A trained model on its way into the registry: everything about a version but its name and its life.

    `is_compiled` says that the artifact has a compiled form, which scores without scikit-learn; it is not
    recorded of versions of earlier releases.
    """

    algorithm: str
    hyperparameters: Mapping[str, Any]
    metrics: EvaluationMetrics
    dataset_version: str
    artifact: Artifact
    features: tuple[str, ...] = ()
    target: str | None = None
    task: TaskName | None = None
    settings: GroupSettings = field(default_factory=GroupSettings)
    library_versions: Mapping[str, str] = field(default_factory=dict)
    source: Source = field(default_factory=Source)
    training_job: TrainingJob | None = None
    gate: GateResult | None = None
    comparison: ChampionComparison | None = None
    feature_importance: Mapping[str, float] = field(default_factory=dict)
    data: DataFindings = field(default_factory=DataFindings)
    warnings: tuple[str, ...] = ()
    concerns: tuple[Concern, ...] = ()
    plots: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    is_compiled: bool = False


MAX_SNOOZE_DAYS = 365


@dataclass(frozen=True, slots=True)
class Acknowledgement(Record):
    """Who took note of the drift alert that was announced on `night`."""

    night: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetadata(Candidate):
    """One registered version of a model.

    `number` counts the versions of the group from 1; `version` is its name for people. Everything but
    `status` and the three `status_` fields, tags, notes and `approval_request` (the hash of the id of its
    newest approval request) stays as it was registered. `evidence_uri` is the folder with the training run's
    JSON documents. `drift_snoozed_until` is the last day without emails and alarm about its inputs;
    `drift_acknowledged` keeps emails about one drift alert back until it is over.
    """

    model_group: str
    version: str
    number: int
    status: Status
    created_at: datetime
    evidence_uri: str | None = None
    approval_request: str | None = None
    status_changed_at: datetime | None = None
    status_changed_by: str | None = None
    status_reason: str | None = None
    drift_snoozed_until: date | None = None
    drift_acknowledged: Acknowledgement | None = None

    def snoozed_until(self, today: date) -> date | None:
        """Return the last day of the snooze of its drift alert; None without one that holds `today`."""
        until = self.drift_snoozed_until
        return until if until and until >= today else None

    def __repr__(self) -> str:
        return f"ModelMetadata({self.model_group} {self.version}, {self.status}, {self.algorithm})"


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """What a table of versions says of each; `primary_score` is its score by name, None without one."""

    version: str
    status: Status
    created_at: datetime
    algorithm: str
    primary_score: tuple[str, float] | None

    @classmethod
    def from_json(cls, text: str | bytes) -> VersionSummary:
        """Read the summary from the JSON of the version: the rest of it becomes no record."""
        document = json.loads(text)
        primary = document["metrics"].get("primary")
        score = document["metrics"].get(primary) if primary else None
        return cls(
            version=document["version"],
            status=Status(document["status"]),
            created_at=datetime.fromisoformat(document["created_at"]),
            algorithm=document["algorithm"],
            primary_score=None if score is None else (primary, float(score)),
        )


@dataclass(frozen=True, slots=True)
class Registration:
    """The registered version; `is_new` is False when the same job had registered it before."""

    model: ModelMetadata
    is_new: bool


@dataclass(frozen=True, slots=True)
class Promotion:
    """The champion and the version it took over from; `is_new` is False when it was champion already."""

    model: ModelMetadata
    previous_champion: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class GroupState(Record):
    """The state of a group: how many versions, the newest, the champion, and a counter of changes."""

    n_versions: int = 0
    latest: str | None = None
    champion: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class StatusChange(Record):
    """One version's step; `before` is None for a version that is being registered."""

    version: str
    action: str
    before: Status | None
    after: Status


@dataclass(frozen=True, slots=True)
class Labels(Record):
    """The labels of a version: tags by name, and notes, one a line."""

    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry(Record):
    """One change of a group: what happened, when, why, the actor and the artifact.

    Entries are numbered by `revision` from 1 without a gap and never change; replaying them gives the state
    of the registry. `champion` is the champion after the change, `previous_champion` the one before. `labels`
    are those of `version` after the change, where it touched them.
    """

    revision: int
    at: datetime
    action: str
    version: str
    by: str
    reason: str
    changes: tuple[StatusChange, ...]
    artifact: Artifact
    champion: str | None = None
    previous_champion: str | None = None
    approval_request: str | None = None
    labels: Labels | None = None
