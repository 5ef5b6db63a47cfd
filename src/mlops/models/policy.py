"""The approval policy of a group: what its administrator allows, whatever the uploaded settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mlops.models.record import Record
from mlops.models.settings.gate import GateRule
from mlops.models.settings.retrain import RetrainingPolicy


@dataclass(frozen=True, slots=True)
class PolicyRecord(Record):
    """One revision of the policy of a group; revision 0 is the default of a group without a record.

    Without `approvers` every approver of the stack may approve. `automatic` permits automatic approval, which
    `model.toml` must request as well. `gate_floors` hold, by score, the values below which no gate rule may
    be; they are judged in addition to the rules. `retraining` is the most that `[retrain] policy` may
    do. `changed_at`, `changed_by` and `reason` say when, by whom and why this revision was made.
    """

    group: str
    approvers: tuple[str, ...] = ()
    required_approvals: int = 1
    automatic: bool = False
    gate_floors: Mapping[str, GateRule] = field(default_factory=dict)
    retraining: RetrainingPolicy = "propose"
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
