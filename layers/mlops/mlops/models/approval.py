"""A question to the approvers: what they are shown, who answered what, and the decision that followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from mlops.models.record import Record
from mlops.models.registry import Artifact
from mlops.models.training import Interval

Choice = Literal["approved", "rejected"]
Outcome = Literal["approved", "rejected", "superseded"]


class RequestStatus(StrEnum):
    """Where a request is; all but the first are final."""

    PENDING = "Pending"
    DECIDED = "Decided"
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
    """What approvers are shown, as it was when they were asked; a new kind of evidence gets a new field."""

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


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """What came in through one approver's link."""

    approver: str
    choice: Choice
    reason: str
    at: datetime


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
    token, encrypted. `revision` counts the changes. `is_delivered` tells that the execution has the decision.
    """

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
