"""The ports that intake uses, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mlops.approval.policy.store import Policies
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.aws.stepfunctions import Execution
from mlops.infrastructure.notifications import Notifier
from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.batches import LedgerBatches
from mlops.models.record import Record
from mlops.models.registered import RegisteredModels

Outcome = Literal["accepted", "rejected", "ignored", "failed", "waiting", "in_progress"]


class Executions(Protocol):
    """Starts executions. A name that was started before is a success, and does not start a second one."""

    def start_training(self, name: str, document: Mapping[str, Any]) -> None:
        """Start training under that name."""

    def find_training(self, name: str) -> Execution | None:
        """Return the training execution of that name; None when there is none (any more)."""

    def start_validation(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the validation of a folder of parts under that name."""

    def start_inference(self, name: str, document: Mapping[str, Any]) -> None:
        """Start scoring under that name."""


@dataclass(frozen=True, slots=True)
class IntakePorts:
    """The adapters that intake works with."""

    objects: ObjectStore
    versions: DatasetVersions
    models: RegisteredModels
    executions: Executions
    notifier: Notifier
    artifact_bucket: str
    policies: Policies
    batches: LedgerBatches
    features: FeatureStore


@dataclass(frozen=True, slots=True)
class IntakeResult(Record):
    """The result for an upload: only ids, counts and codes, so that it may be logged."""

    outcome: Outcome
    reason: str | None = None
    group: str | None = None
    upload_id: str | None = None
    purpose: str | None = None
    dataset_id: str | None = None
    work_id: str | None = None
    n_rows: int | None = None
    rule_ids: tuple[str, ...] = ()
    is_repeated: bool = False
