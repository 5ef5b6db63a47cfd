"""Changes of the policy of a group: checked against the stack, stored once, kept with who, when and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mlops.approval.policy.effective import eligible_approvers, find_quorum_problem, minimum_approvals
from mlops.approval.policy.store import Policies
from mlops.approval.quorum import is_same_person
from mlops.models.approval import PolicyRecord, StackPolicy
from mlops.models.errors import ApprovalError
from mlops.models.settings.gate import GateRule
from mlops.models.settings.nearest import nearest
from mlops.models.settings.search import MIN_TRIALS
from mlops.models.training import SCORE_NAMES
from mlops.registry.tags import check_group, find_reason_problem


def set_policy(
    policies: Policies, changed: PolicyRecord, *, by: str, reason: str, now: datetime
) -> PolicyRecord:
    """Store `changed` as the next revision of the policy of its group.

    `changed.revision` is the revision that the change was made from.

    Raises
    ------
    ApprovalError
        If the stack does not allow it, the reason is empty, or the policy was changed meanwhile.
    RegistryError
        If the group cannot be named so.
    """
    check_group(changed.group)
    check_policy(policies.stack, changed)
    if problem := find_reason_problem(reason, is_required=True):
        raise ApprovalError(f"The policy was not changed: {problem}.")
    record = replace(
        changed, revision=changed.revision + 1, changed_at=now, changed_by=by, reason=reason.strip()
    )
    if not policies.store.put(record):
        raise ApprovalError(
            f"The policy of {changed.group} was changed meanwhile; see `mlops policy show {changed.group}`, "
            "and repeat the command if it is still needed."
        )
    return record


def check_policy(stack: StackPolicy, record: PolicyRecord) -> None:
    """Refuse a record that contradicts itself or asks for less than the stack requires.

    Raises
    ------
    ApprovalError
        If it does; the message names the parameter.
    """
    problem = next(_problems(stack, record), "")
    if problem:
        raise ApprovalError(problem)


def _problems(stack: StackPolicy, record: PolicyRecord) -> Iterator[str]:
    for approver in record.approvers:
        if not any(is_same_person(approver, entry) for entry in stack.approvers):
            yield f"{approver} is not an approver of the stack; it has {', '.join(stack.approvers)}."
    if record.required_approvals < 1:
        yield "At least 1 approval must be required."
    if 1 < record.required_approvals < stack.minimum_approvals:
        yield f"The parameter MinimumApprovals of the stack requires {stack.minimum_approvals} approvals."
    required = minimum_approvals(stack, record)
    yield from find_quorum_problem(record.group, required, len(eligible_approvers(stack, record)))
    if record.automatic and not stack.allows_automatic:
        yield (
            "Automatic approval is not allowed: the parameter AllowAutomaticApproval of the stack is off. "
            "Set it to on and deploy, then repeat the command."
        )
    if record.automatic and required > 1:
        yield f"Automatic approval is not possible where {required} approvals are required."
    if record.max_trainings_per_day < 0:
        yield "The trainings of a day must be at least 1, or 0 for no limit."
    if record.max_trials != 0 and record.max_trials < MIN_TRIALS:
        yield f"The trials of a search must be at least {MIN_TRIALS}, or 0 for no limit."
    for metric, floor in record.gate_floors.items():
        yield from _floor_problems(metric, floor)


def _floor_problems(metric: str, floor: GateRule) -> Iterator[str]:
    if metric not in SCORE_NAMES:
        yield f"There is no score {metric!r}. {nearest(metric, SCORE_NAMES)}"
    values = (floor.threshold, floor.min_absolute_change, floor.min_relative_change)
    if not all(value is None or math.isfinite(value) for value in values):
        yield f"The floor of {metric} must be a finite number."
